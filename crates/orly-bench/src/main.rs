//! Load generator and driver for any Nostr relay.
//!
//! Makes events, publishes, queries, subscribes and reconciles over `ws://`, and reports what that cost
//! both sides. Knows no relay's internals: ours and others run under the same load.

mod client;
mod commands;
mod compare;
mod conns;
mod duration;
mod fanout;
mod generate;
mod ingest;
mod latency;
mod process;
mod query;
mod report;
mod run;
mod sample;
mod subscribers;
mod sync;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::CommandLine;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    match commands::run(&line) {
        Ok(report) => {
            report::print(&report, line.wants_json());
            if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            report::tell(&format!("orly-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
