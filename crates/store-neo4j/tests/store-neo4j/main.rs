//! The engine keeps the rules of the seam against a real server, and what it promises beyond them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod away;
mod processes;
mod reconciling;
mod server;

mod rules {
    store::conformance_tests!(crate::server::Engine, when crate::server::is_there());
    store::serial_conformance_tests!(crate::server::Engine, when crate::server::is_there());
}
