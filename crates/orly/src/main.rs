//! The relay process and its command line.

mod command_line;
mod commands;
mod event_store;
mod figures;
mod import;
mod output;
mod progress;
mod settings;
mod sync;
mod time;
mod wiring;

use std::process::ExitCode;

use crate::command_line::CommandLine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    daemon::with_command_line(|line: CommandLine| commands::run(line.command))
}
