//! Access control as a process: decides who may read and write, for relays to ask.

mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The access control service (gRPC, orlyacl.v1), for the relay `orly` to ask
///
/// Decides by ORLY_ACL_MODE who may read and write, and keeps what is decided at run time in the event store
/// of a database service, or in an embedded one.
#[derive(Parser, Debug)]
#[command(name = "orly-acl", version, after_help = settings::help())]
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
