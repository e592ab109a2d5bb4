//! Access control as a process: decides who may read and write, for relays to ask.

mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use daemon::Threads;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The access control service (gRPC, orlyacl.v1), for the relay `orly` to ask
///
/// Decides by ORLY_ACL_MODE who may read and write, and keeps what is decided at run time in the event store
/// of a database service, or in an embedded one.
#[derive(Parser, Debug)]
#[command(name = "orly-acl", version, after_help = daemon::help::<Settings>())]
struct CommandLine {}

fn main() -> ExitCode {
    daemon::with_command_line(|CommandLine {}| {
        daemon::run(|_| Threads::Half, |settings: &Settings, _| settings.logging(), wiring::serve)
    })
}
