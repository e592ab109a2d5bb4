//! `gen`: writes deterministic, signed, plausible events to a JSONL file.

pub(crate) mod author;
pub(crate) mod json;
pub(crate) mod kinds;
mod output;
pub(crate) mod random;
pub(crate) mod rounds;
mod text;
pub(crate) mod world;
mod zipf;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};

use crate::generate::output::Output;
use crate::generate::rounds::{Clock, Mix, Rounds};
use crate::generate::world::World;
use crate::report::{Metric, Report, Section};

/// 2026-10-01 00:00 UTC.
const DEFAULT_UNTIL: u64 = 1_790_812_800;
const TWO_YEARS: Duration = Duration::from_hours(2 * 365 * 24);

/// Arguments of `gen`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How many events the file gets.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) count: usize,
    /// The file to write, one event a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Another seed gives other authors and other events.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many authors; the most active writes a tenth of all events (Zipf).
    #[arg(long, default_value_t = 10_000)]
    pub(crate) authors: usize,
    /// The latest created_at, in seconds since 1970 [default: 2026-10-01 00:00 UTC].
    #[arg(long, default_value_t = DEFAULT_UNTIL, hide_default_value = true)]
    pub(crate) until: u64,
    /// The order of the lines; `random` keeps the whole file in memory first.
    #[arg(long, value_enum, default_value_t = Order::Arrival)]
    pub(crate) order: Order,
    /// No direct messages (kind 4), which some relays show to their parties only (for `sync`).
    #[arg(long)]
    pub(crate) public: bool,
    /// With --out-b: how many notes each of the two files has that the other lacks.
    #[arg(long, default_value_t = 50, requires = "out_b")]
    pub(crate) diff: usize,
    /// A second file that has the same events but for --diff notes on each side (for `sync`).
    #[arg(long, value_name = "FILE")]
    pub(crate) out_b: Option<PathBuf>,
    /// Threads that sign [default: all cores]. The output does not depend on it.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
}

/// The order of the lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// As a relay receives them: created_at rises, with some late ones.
    Arrival,
    /// Shuffled, the same events.
    Random,
}

/// Writes the file or files.
pub(crate) fn run(options: &Options) -> anyhow::Result<Report> {
    let started = Instant::now();
    let diff = if options.out_b.is_some() { options.diff } else { 0 };
    ensure!(options.authors > 0, "--authors 0: at least one is needed");
    ensure!(
        diff * 20 <= options.count,
        "--diff {diff}: at most a twentieth of --count {}",
        options.count
    );

    let threads = options.threads.unwrap_or_else(all_cores);
    let world = World::new(options.seed, options.authors, threads);
    let clock = Clock::Span { until: options.until, seconds: TWO_YEARS.as_secs() };
    let mix = if options.public { Mix::Public } else { Mix::All };
    let mut rounds = Rounds::new(world, options.seed, options.count + diff, clock, mix, threads);
    let mut output = Output::create(options, options.count + diff, diff)?;
    while let Some(batches) = rounds.next_round() {
        for (json, entry) in batches.iter().flat_map(|batch| batch.iter()) {
            output.take(json, entry).context("write events")?;
        }
    }
    let written = output.finish(options.seed).context("write events")?;

    let seconds = started.elapsed().as_secs_f64();
    let events = options.count as f64;
    let mut report = Report::new("gen", &options.out.display().to_string());
    report.push(Section::new("events").with([
        Metric::count("events", events),
        Metric::count("stored", written.distinct as f64),
        Metric::bytes("file", written.bytes as f64),
        Metric::bytes("mean_size", written.bytes as f64 / events.max(1.0)),
        Metric::seconds("time", seconds),
        Metric::per_second("events", events / seconds),
    ]));
    let kinds = written
        .kinds
        .iter()
        .map(|(kind, count)| Metric::count(&format!("kind_{kind}"), *count as f64));
    report.push(Section::new("kinds").with(kinds));
    Ok(report)
}

/// The number of threads that can work at once.
pub(crate) fn all_cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}
