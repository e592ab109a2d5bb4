//! `query`: asks one question after another and measures each from REQ to EOSE.

mod questions;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use futures_util::future::try_join_all;

use crate::client::{Address, Client, Message, answers_subscription};
use crate::duration::parse_duration;
use crate::latency::Latencies;
use crate::process::{self, Server};
use crate::query::questions::Question;
use crate::report::{Metric, Report, Section, tell};
use crate::sample;

/// Events that the questions' parameters come from.
const SAMPLE_SIZE: usize = 4000;
/// Different parameters of one question.
const VARIANTS: usize = 500;
/// Asked before measuring, on each connection.
const WARM_UP: usize = 20;

/// Arguments of `query`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The relay, as ws://HOST:PORT.
    pub(crate) url: Address,
    /// The file whose events the relay has; authors, ids, tags and days are drawn from it.
    #[arg(long, value_name = "FILE")]
    pub(crate) sample: PathBuf,
    /// How long each question is asked.
    #[arg(long, default_value = "5s", value_parser = parse_duration)]
    pub(crate) duration: Duration,
    /// How many connections ask at once, each one question at a time.
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: usize,
    /// Only this question; may be repeated.
    #[arg(long, value_enum)]
    pub(crate) only: Vec<Question>,
    /// Another seed draws other parameters.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Default)]
struct Tally {
    latencies: Latencies,
    events: usize,
    bytes: u64,
}

/// Asks all questions in turn and measures.
pub(crate) async fn run(options: &Options, server: Option<Server>) -> anyhow::Result<Report> {
    ensure!(options.connections > 0, "--connections must be at least 1");
    let sampled = sample::draw(&options.sample, SAMPLE_SIZE, options.seed)?;
    let asked = if options.only.is_empty() { Question::ALL } else { &options.only };
    let mut clients =
        try_join_all((0..options.connections).map(|_| Client::connect(&options.url))).await?;

    let mut report = Report::new("query", &options.url.to_string());
    let mut last_usage = None;
    for question in asked {
        let filters = question.filters(&sampled, VARIANTS, options.seed)?;
        if options.duration >= Duration::from_secs(2) {
            tell(&format!("query {} …", question.name()));
        }
        let warm_up = clients.iter_mut().map(|client| ask_times(client, &filters, WARM_UP));
        try_join_all(warm_up).await.with_context(|| format!("question {}", question.name()))?;

        let before = process::usage(server)?;
        let started = Instant::now();
        let until = started + options.duration;
        let share = filters.len() / clients.len();
        let work = clients.iter_mut().enumerate();
        let work = work.map(|(index, client)| ask_until(client, &filters, index * share, until));
        let tallies =
            try_join_all(work).await.with_context(|| format!("question {}", question.name()))?;
        let seconds = started.elapsed().as_secs_f64();
        let after = process::usage(server)?;

        let mut total = Tally::default();
        tallies.into_iter().for_each(|tally| total.add(tally));
        if total.events == 0 {
            report.problems.push(format!(
                "{}: no answer had an event; is FILE stored there?",
                question.name()
            ));
        }
        let queries = total.latencies.len();
        report.push(
            Section::new(question.name())
                .with(total.latencies.metrics(""))
                .with([
                    Metric::per_second("queries", queries as f64 / seconds),
                    Metric::per_second("events", total.events as f64 / seconds),
                    Metric::count("events_per_query", total.events as f64 / queries as f64),
                    Metric::bytes("answer", total.bytes as f64 / queries as f64),
                ])
                .with(process::cpu_metrics(before, after, "query", queries)),
        );
        last_usage = after;
    }
    report.push(process::memory_section(last_usage));
    Ok(report)
}

async fn ask_times(client: &mut Client, filters: &[String], times: usize) -> anyhow::Result<()> {
    let mut ignored = Tally::default();
    for (number, filter) in filters.iter().rev().take(times).enumerate() {
        ask(client, &format!("warm{number}"), filter, &mut ignored).await?;
    }
    Ok(())
}

async fn ask_until(
    client: &mut Client,
    filters: &[String],
    first: usize,
    until: Instant,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    for (number, filter) in filters.iter().cycle().skip(first).enumerate() {
        ask(client, &format!("q{number}"), filter, &mut tally).await?;
        if Instant::now() >= until {
            break;
        }
    }
    Ok(tally)
}

/// Sends one REQ, reads to its EOSE, and closes the subscription.
async fn ask(client: &mut Client, id: &str, filter: &str, tally: &mut Tally) -> anyhow::Result<()> {
    let bytes_before = client.bytes_in;
    client.queue(&[b"[\"REQ\",\"", id.as_bytes(), b"\",", filter.as_bytes(), b"]"]);
    let started = Instant::now();
    client.write_some()?;
    loop {
        match client.receive().await? {
            Message::Event(_) => tally.events += 1,
            Message::Eose(message) if answers_subscription(message, id.as_bytes()) => break,
            Message::Closed(message) if answers_subscription(message, id.as_bytes()) => {
                bail!("filter {filter:.200}: {}", String::from_utf8_lossy(message));
            }
            Message::Notice(message) => {
                bail!("filter {filter:.200}: {}", String::from_utf8_lossy(message))
            }
            _ => {}
        }
    }
    tally.latencies.push(started.elapsed());
    tally.bytes += client.bytes_in - bytes_before;
    client.queue(&[b"[\"CLOSE\",\"", id.as_bytes(), b"\"]"]);
    client.write_some()
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.events += other.events;
        self.bytes += other.bytes;
    }
}
