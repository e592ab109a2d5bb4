//! The event store as a process; its engine is LMDB.

fn main() {}
