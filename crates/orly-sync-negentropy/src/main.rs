//! Reconciliation (NIP-77) as a process: answers clients of relays, keeps relays in step.

mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The reconciliation service (gRPC, orlysync.negentropy.v1), for the relay `orly` to ask
///
/// Answers NIP-77 for clients of relays, and keeps relays in step with ORLY_SYNC_NEGENTROPY_PEERS. It works
/// on the event store of a database service, or on an embedded one.
#[derive(Parser, Debug)]
#[command(name = "orly-sync-negentropy", version, after_help = settings::help())]
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
