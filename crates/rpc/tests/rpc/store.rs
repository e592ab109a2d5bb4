//! The event store over gRPC.

mod database;
mod files;
mod many;
mod reconciling;
mod restarts;
mod service;

mod rules {
    store::conformance_tests!(crate::store::service::Engine);
}
