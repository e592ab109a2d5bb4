//! The binary as an operator runs it: commands on a data directory of their own.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "the helpers of tests are tests too")]

mod backup;
mod commands;
mod health;
mod house;
mod import;
mod limits;
mod serve;
mod settings;
mod split;
mod sync;
mod sync_server;
