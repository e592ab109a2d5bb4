//! The supervisor of the appliance: `units.rs` is what it runs.
//!
//! It keeps the system's allocator, unlike the services: it allocates little, and so holds 4 MB less.

mod admin;
mod client;
mod clock;
mod command_line;
mod control;
mod data_dir;
mod disk;
mod health;
mod log;
mod ports;
mod programs;
mod run;
mod sessions;
mod settings;
mod units;
mod versions;
mod view;

use std::io::Write;
use std::process::ExitCode;

use daemon::Threads;

use crate::command_line::CommandLine;
use crate::settings::Settings;

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
    daemon::with_command_line(|CommandLine { command, socket }| match command {
        Some(command) => client::run(&command, socket),
        None => {
            daemon::run(|_| Threads::One, |settings: &Settings, _| settings.logging(), run::serve)
        }
    })
}
