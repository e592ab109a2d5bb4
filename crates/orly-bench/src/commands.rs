//! The command line: one subcommand a measurement.

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::process::Server;
use crate::report::Report;
use crate::{generate, ingest, query};

/// Load generator and driver for any Nostr relay.
///
/// A first round, with a relay on port 3334:
///
///   orly-bench gen --count 100000 --out events.jsonl
///   orly-bench ingest ws://127.0.0.1:3334 events.jsonl --connections 8 --pid $(pidof orly)
///   orly-bench query ws://127.0.0.1:3334 --sample events.jsonl
///
/// The client shares the machine with the server: it does no work per event but counting bytes.
#[derive(Parser, Debug)]
#[command(name = "orly-bench", version, verbatim_doc_comment)]
pub(crate) struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print one JSON object instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The server's process: adds its CPU time and memory, children included.
    #[arg(long, global = true)]
    pub(crate) pid: Option<u32>,
}

/// One measurement.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Write deterministic signed events to a file.
    ///
    /// Kinds as on real relays (60 % notes, 20 % reactions, reposts, zaps, profiles, follow lists, …),
    /// authors and hashtags by Zipf's law, two years of created_at, 820 bytes on average. The same
    /// options give the same bytes on any machine. Replaceable events collide as they do in life, so a
    /// relay stores fewer events than the file has: the figure `stored` says how many.
    #[command(name = "gen")]
    Generate(generate::Options),
    /// Publish a file's events and wait for every OK.
    Ingest(ingest::Options),
    /// Ask the usual questions and measure each from REQ to EOSE.
    Query(query::Options),
}

/// Runs the command of a command line.
pub(crate) fn run(line: &CommandLine) -> anyhow::Result<Report> {
    let server = line.pid.map(Server::new).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    match &line.command {
        Command::Generate(options) => generate::run(options),
        Command::Ingest(options) => runtime.block_on(ingest::run(options, server)),
        Command::Query(options) => runtime.block_on(query::run(options, server)),
    }
}
