//! Processes of the operating system under supervision.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod house;
mod processes;
