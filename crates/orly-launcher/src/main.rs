//! The supervisor of the appliance.

fn main() {}
