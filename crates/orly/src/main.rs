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

use clap::Parser;

use crate::command_line::CommandLine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match CommandLine::try_parse() {
        Ok(line) => commands::run(line.command),
        Err(error) => {
            // Help and version go to stdout and are no failure; nobody may be reading.
            drop(error.print());
            if error.use_stderr() { ExitCode::from(daemon::EXIT_USAGE) } else { ExitCode::SUCCESS }
        }
    }
}
