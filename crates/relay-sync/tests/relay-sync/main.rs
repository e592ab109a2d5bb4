//! Two relays that talk to each other over a socket of this machine.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod background;
mod deletions;
mod directions;
mod foreign;
mod histories;
mod hostile;
mod house;
mod local;
mod policy;
mod scripted;
mod sizes;

mod conformance {
    relay_sync::conformance_tests!(crate::local::Local);
}
