//! `sync`: reconciles a file with a relay's events by NIP-77, as a client.

mod local;
mod session;
mod transfer;

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use event::Filter;
use reconcile::FrameSizeLimit;

use crate::client::{Address, Client};
use crate::latency::{Latencies, median};
use crate::process::{self, Server};
use crate::report::{Metric, Report, Section, tell};
use crate::sync::session::Reconciled;

/// Arguments of `sync`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The relay, as ws://HOST:PORT.
    pub(crate) url: Address,
    /// The local set: events, one a line.
    pub(crate) file: PathBuf,
    /// What is reconciled, on both sides.
    #[arg(long, default_value = "{}", value_name = "JSON")]
    pub(crate) filter: String,
    /// How often to reconcile; the figures are medians.
    #[arg(long, default_value_t = 1)]
    pub(crate) repeat: usize,
    /// Messages of the relay to read at most, each time.
    #[arg(long, default_value_t = 1000)]
    pub(crate) rounds: u32,
    /// The longest message to send, in bytes; 0 is no limit.
    #[arg(long, default_value_t = 0)]
    pub(crate) frame_size_limit: usize,
    /// Then download what the file lacks and upload what the relay lacks.
    #[arg(long)]
    pub(crate) transfer: bool,
    /// Write the downloaded events here.
    #[arg(long, value_name = "FILE", requires = "transfer")]
    pub(crate) download_to: Option<PathBuf>,
}

/// Reconciles and measures.
pub(crate) async fn run(options: &Options, server: Option<Server>) -> anyhow::Result<Report> {
    ensure!(options.repeat > 0, "--repeat must be at least 1");
    let filter: Filter = options.filter.parse().context("--filter")?;
    let limit = FrameSizeLimit::new(options.frame_size_limit)?;
    let loading = Instant::now();
    let set = local::load(&options.file, &filter)?;
    tell(&format!(
        "sync: {} local events, loaded in {:.1}s",
        set.len(),
        loading.elapsed().as_secs_f64()
    ));

    let mut client = Client::connect(&options.url).await?;
    let before = process::usage(server)?;
    let mut results = Vec::with_capacity(options.repeat);
    for _ in 0..options.repeat {
        results.push(
            session::reconcile(&mut client, &set, &options.filter, limit, options.rounds).await?,
        );
    }
    let after = process::usage(server)?;

    let mut report = Report::new("sync", &options.url.to_string());
    let last = results.last().context("at least one result")?;
    let difference = (last.have.clone(), last.need.clone());
    let section = section(&results, set.len());
    report.push(section.with(process::cpu_metrics(before, after, "sync", options.repeat)));
    if options.transfer {
        let (have, need) = difference;
        download(options, server, &mut report, need.into_iter().collect()).await?;
        upload(options, server, &mut report, have).await?;
    }
    report.push(process::memory_section(process::usage(server)?));
    Ok(report)
}

fn section(results: &[Reconciled], local: usize) -> Section {
    let middle = |value: &dyn Fn(&Reconciled) -> f64| median(results.iter().map(value).collect());
    let mut times = Latencies::default();
    results.iter().for_each(|result| times.push(result.time));
    Section::new("reconcile")
        .with([
            Metric::count("local", local as f64),
            Metric::count("have", middle(&|result| result.have.len() as f64)),
            Metric::count("need", middle(&|result| result.need.len() as f64)),
            Metric::count("rounds", middle(&|result| f64::from(result.rounds))),
            Metric::bytes("sent", middle(&|result| result.bytes_out as f64)),
            Metric::bytes("received", middle(&|result| result.bytes_in as f64)),
            Metric::millis(
                "first_answer",
                middle(&|result| result.first_answer.as_secs_f64() * 1e3),
            ),
            Metric::millis("client_work", middle(&|result| result.client_work.as_secs_f64() * 1e3)),
        ])
        .with(times.metrics("time_"))
}

async fn download(
    options: &Options,
    server: Option<Server>,
    report: &mut Report,
    need: Vec<event::EventId>,
) -> anyhow::Result<()> {
    let before = process::usage(server)?;
    let started = Instant::now();
    let downloaded =
        transfer::download(&options.url, &need, options.download_to.as_deref()).await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = process::usage(server)?;
    if downloaded.events < need.len() {
        report.problems.push(format!(
            "{} of {} events were not served",
            need.len() - downloaded.events,
            need.len()
        ));
    }
    report.push(
        Section::new("download")
            .with([
                Metric::count("events", downloaded.events as f64),
                Metric::per_second("events", downloaded.events as f64 / seconds),
                Metric::seconds("time", seconds),
                Metric::bytes("received", downloaded.bytes as f64),
            ])
            .with(process::cpu_metrics(before, after, "event", downloaded.events)),
    );
    Ok(())
}

async fn upload(
    options: &Options,
    server: Option<Server>,
    report: &mut Report,
    have: HashSet<event::EventId>,
) -> anyhow::Result<()> {
    let count = have.len();
    let before = process::usage(server)?;
    let started = Instant::now();
    let tally = transfer::upload(&options.url, &options.file, have).await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = process::usage(server)?;
    report.problems.extend(tally.problems());
    report.push(
        tally.section("upload", seconds).with(process::cpu_metrics(before, after, "event", count)),
    );
    Ok(())
}
