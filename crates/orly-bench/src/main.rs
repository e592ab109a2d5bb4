//! Load generator and driver for any Nostr relay.
fn main() {}
