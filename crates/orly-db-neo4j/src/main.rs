//! The event store as a process; its engine is a Neo4j server.
//!
//! It serves what `orly-db-badger` serves, and answers questions in Cypher too.

mod cypher;
mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;
use daemon::Threads;

use crate::settings::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The event store as a service (gRPC: orlydb.v1 and orlystore.v1); its engine is a Neo4j server
///
/// Relays and the other services of one appliance share it, and any number of these processes may share a database.
/// Events are a graph there, of which an operator can ask what no filter can.
#[derive(Parser, Debug)]
#[command(name = "orly-db-neo4j", version, after_help = daemon::help::<Settings>())]
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
