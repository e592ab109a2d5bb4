//! Access control as a process.

fn main() {}
