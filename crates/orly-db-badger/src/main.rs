//! The event store as a process; its engine is LMDB.
//!
//! It keeps the name that deployments of the original know.

mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The event store as a service (gRPC: orlydb.v1 and orlystore.v1); its engine is LMDB
///
/// Relays and the other services of one appliance share it. It keeps the name of the original's, whose
/// clients it serves as well; the database is not the original's, and is filled by import.
#[derive(Parser, Debug)]
#[command(name = "orly-db-badger", version, after_help = settings::help())]
struct CommandLine {}

fn main() -> ExitCode {
    match CommandLine::try_parse() {
        Ok(CommandLine {}) => {
            daemon::run(|settings: &Settings, _| settings.logging(), wiring::serve)
        }
        Err(error) => {
            // Help and version go to stdout and are no failure; nobody may be reading.
            drop(error.print());
            if error.use_stderr() { ExitCode::from(daemon::EXIT_USAGE) } else { ExitCode::SUCCESS }
        }
    }
}
