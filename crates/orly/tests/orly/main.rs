//! The binary as an operator runs it: commands on a data directory of their own.

mod commands;
mod house;
mod import;
mod serve;
mod settings;
