//! The service over a real socket: the rules of the seam, its calls, and what clients see when it is away.

mod away;
mod calls;
mod house;
mod syncing;
mod viewers;

mod conformance {
    relay_sync::conformance_tests!(crate::negentropy::tests::house::OverGrpc);
}
