//! The engine keeps the rules of the seam, and what it promises beyond them.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod broken;
mod child;
mod disk_full;
mod failing_disk;
mod histories;
mod kill;
mod lmdb;
mod map_full;
mod opening;
mod processes;
mod reconciling;
mod waiting;
mod watching;

mod rules {
    store::conformance_tests!(crate::lmdb::Engine);
    store::serial_conformance_tests!(crate::lmdb::Engine);
}
