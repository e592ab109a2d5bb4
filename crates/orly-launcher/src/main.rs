//! The supervisor of the appliance: `units.rs` is what it runs.
//!
//! It keeps the system's allocator, unlike the services: it allocates little, and so holds 4 MB less.

mod admin;
mod client;
mod clock;
mod command_line;
mod control;
mod data_dir;
mod health;
mod log;
mod programs;
mod run;
mod sessions;
mod settings;
mod units;
mod versions;
mod view;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::command_line::CommandLine;

/// The first argument of a process that is to become a unit.
const EXEC_UNIT: &str = "exec-unit";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == EXEC_UNIT) {
        let error = supervisor::become_unit(arguments);
        // Nobody may be reading.
        drop(writeln!(std::io::stderr(), "cannot start: {error}"));
        return ExitCode::FAILURE;
    }
    match CommandLine::try_parse() {
        Ok(CommandLine { command: None, .. }) => daemon::run_on_one_thread(
            |settings: &settings::Settings, _| settings.logging(),
            run::serve,
        ),
        Ok(CommandLine { command: Some(command), socket }) => client::run(&command, socket),
        Err(error) => {
            // Help and version go to stdout and are no failure; nobody may be reading.
            drop(error.print());
            if error.use_stderr() { ExitCode::from(daemon::EXIT_USAGE) } else { ExitCode::SUCCESS }
        }
    }
}
