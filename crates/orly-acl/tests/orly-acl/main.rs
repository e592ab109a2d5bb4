//! The access control service as an operator runs it: alone, and beside a relay and an event store.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "the helpers of tests are tests too")]

mod beside_a_relay;
mod house;
mod process;
