//! The event store as a process; its engine is LMDB.
//!
//! It keeps the name that deployments of the original know.

mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use daemon::Threads;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The event store as a service (gRPC: orlydb.v1 and orlystore.v1); its engine is LMDB
///
/// Relays and the other services of one appliance share it. It keeps the name of the original's, whose
/// clients it serves as well; the database is not the original's, and is filled by import.
#[derive(Parser, Debug)]
#[command(name = "orly-db-badger", version, after_help = daemon::help::<Settings>())]
struct CommandLine {}

fn main() -> ExitCode {
    daemon::with_command_line(|CommandLine {}| {
        daemon::run(
            |_| Threads::Half,
            |settings: &Settings, _| settings.service.logging(),
            wiring::serve,
        )
    })
}
