//! Reconciliation (NIP-77) as a process.

fn main() {}
