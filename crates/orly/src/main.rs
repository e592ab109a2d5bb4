//! The relay process and its command line.
fn main() {}
