//! Reconciliation (NIP-77) as a process: answers clients of relays, keeps relays in step.

mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use daemon::Threads;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The reconciliation service (gRPC, orlysync.negentropy.v1), for the relay `orly` to ask
///
/// Answers NIP-77 for clients of relays, and keeps relays in step with ORLY_SYNC_NEGENTROPY_PEERS. It works
/// on the event store of a database service, or on an embedded one.
#[derive(Parser, Debug)]
#[command(name = "orly-sync-negentropy", version, after_help = daemon::help::<Settings>())]
struct CommandLine {}

fn main() -> ExitCode {
    daemon::with_command_line(|CommandLine {}| {
        daemon::run(|_| Threads::Half, |settings: &Settings, _| settings.logging(), wiring::serve)
    })
}
