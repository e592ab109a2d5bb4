//! The command line: one subcommand a measurement.

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::process::Server;
use crate::report::Report;
use crate::{compare, conns, fanout, generate, ingest, query, run as run_command, sync};

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
    /// Deliver a stream of fresh events to many live subscriptions.
    ///
    /// Subscribers ask for what people ask for: half of them a feed of fifty authors, the others
    /// mentions, profiles, threads, hashtags, a few everything. Every event is signed beforehand and
    /// matched against every filter, so lost and unexpected deliveries are known exactly.
    Fanout(fanout::Options),
    /// Open many idle connections with a subscription each; --pid shows the memory of one.
    Conns(conns::Options),
    /// Reconcile a file with the relay's events by NIP-77.
    ///
    /// Prints time, rounds, bytes both ways and what each side lacks; --transfer moves it too. The file is
    /// the local set as a relay would hold it: the latest of replaceable events, no ephemeral ones.
    Sync(sync::Options),
    /// Run a command and print its time, CPU and memory: an import, or a relay until it answers.
    ///
    ///   orly-bench run --items 100000 --disk DB --stdin events.jsonl -- strfry import
    ///   orly-bench run --answers ws://127.0.0.1:3334 -- target/release/orly
    #[command(verbatim_doc_comment)]
    Run(run_command::Options),
    /// Run a measurement on two relays in turns (A B A B …); print medians and ratios.
    ///
    ///   orly-bench compare ws://127.0.0.1:7777 ws://127.0.0.1:3334 --pid-a 12 --pid-b 34 \
    ///     query --sample events.jsonl --duration 2s
    #[command(verbatim_doc_comment)]
    Compare(compare::Options),
}

impl CommandLine {
    /// Whether the report is printed as JSON; `compare` takes everything after its URLs for the measurement's.
    pub(crate) fn wants_json(&self) -> bool {
        let is_in_measurement =
            |line: &compare::Options| line.measurement.iter().any(|word| word == "--json");
        self.json
            || matches!(&self.command, Command::Compare(options) if is_in_measurement(options))
    }
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
        Command::Fanout(options) => runtime.block_on(fanout::run(options, server)),
        Command::Conns(options) => runtime.block_on(conns::run(options, server)),
        Command::Sync(options) => runtime.block_on(sync::run(options, server)),
        Command::Run(options) => run_command::run(options, &runtime),
        Command::Compare(options) => compare::run(options),
    }
}
