//! The binary as a service manager runs it, and a relay in front of it.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod away;
mod house;
mod starting;
