//! The binary as an operator runs it: commands on a data directory of their own.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "the helpers of tests are tests too")]

mod commands;
mod house;
mod import;
mod serve;
mod settings;
mod sync;
