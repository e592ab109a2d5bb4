//! `ingest`: publishes events over several connections and waits for every OK.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::Args;
use futures_util::future::try_join_all;

use crate::client::{Address, Client, Message, PATIENCE, event_id, ok_answer};
use crate::latency::Latencies;
use crate::process::{self, Server};
use crate::report::{Metric, Report, Section};
use crate::sample::Lines;

/// Arguments of `ingest`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The relay, as ws://HOST:PORT.
    pub(crate) url: Address,
    /// Events, one a line, as `gen` writes them.
    pub(crate) file: PathBuf,
    /// How many connections publish at once; each takes the next line of the file.
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: usize,
    /// Events a connection may have unanswered. 1 measures latency, more measure throughput.
    #[arg(long, default_value_t = 100)]
    pub(crate) window: usize,
    /// Stop after this many events [default: the whole file].
    #[arg(long)]
    pub(crate) count: Option<usize>,
    /// Leave out the first lines of the file.
    #[arg(long, default_value_t = 0)]
    pub(crate) skip: usize,
}

/// What became of the events.
#[derive(Default)]
pub(crate) struct Tally {
    accepted: usize,
    duplicate: usize,
    /// Refused replaceable events: the relay has a newer one.
    superseded: usize,
    refused: usize,
    reasons: BTreeMap<String, usize>,
    latencies: Latencies,
    bytes_out: u64,
    bytes_in: u64,
}

/// An event that waits for its OK.
struct Sent {
    at: Instant,
    is_replaceable: bool,
}

/// Publishes and measures.
pub(crate) async fn run(options: &Options, server: Option<Server>) -> anyhow::Result<Report> {
    ensure!(
        options.connections > 0 && options.window > 0,
        "--connections and --window must be at least 1"
    );
    let lines = RefCell::new(Lines::open(&options.file, options.skip, options.count)?);
    let clients =
        try_join_all((0..options.connections).map(|_| Client::connect(&options.url))).await?;

    let before = process::usage(server)?;
    let started = Instant::now();
    let work = clients.into_iter().map(|client| publish(client, &lines, options.window));
    let tallies = try_join_all(work).await?;
    let seconds = started.elapsed().as_secs_f64();
    let after = process::usage(server)?;

    let mut total = Tally::default();
    tallies.into_iter().for_each(|tally| total.add(tally));
    let answered = total.latencies.len();
    ensure!(answered > 0, "{} has no events after line {}", options.file.display(), options.skip);
    let mut report = Report::new("ingest", &options.url.to_string());
    report.problems = total.problems();
    let cpu = process::cpu_metrics(before, after, "event", answered);
    report.push(total.section("events", seconds).with(cpu));
    report.push(process::memory_section(after));
    Ok(report)
}

/// Publishes the lines over one connection with at most `window` events unanswered.
pub(crate) async fn publish(
    mut client: Client,
    lines: &RefCell<Lines>,
    window: usize,
) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    let mut waiting: HashMap<[u8; 16], Sent> = HashMap::with_capacity(window);
    let mut line = Vec::new();
    let mut is_at_end = false;
    loop {
        while !is_at_end && waiting.len() < window {
            is_at_end = !lines.borrow_mut().next_into(&mut line)?;
            if !is_at_end {
                let id = event_id(&line).context("a line of the file has no event id")?;
                client.queue(&[b"[\"EVENT\",", &line, b"]"]);
                waiting.insert(
                    key(id),
                    Sent { at: Instant::now(), is_replaceable: is_replaceable(&line) },
                );
            }
        }
        if waiting.is_empty() {
            break;
        }
        client.exchange_soon().await.with_context(|| {
            format!("{} events unanswered (patience {}s)", waiting.len(), PATIENCE.as_secs())
        })?;
        let now = Instant::now();
        while let Some(message) = client.next_message()? {
            match message {
                Message::Ok(message) => {
                    let (id, is_accepted, text) = ok_answer(message).context("malformed OK")?;
                    if let Some(sent) = waiting.remove(&key(id)) {
                        tally.latencies.push(now - sent.at);
                        tally.judge(is_accepted, text, sent.is_replaceable);
                    }
                }
                Message::Notice(message) => tally.add_reason(message),
                _ => {}
            }
        }
    }
    tally.bytes_out = client.bytes_out;
    tally.bytes_in = client.bytes_in;
    Ok(tally)
}

impl Tally {
    /// How many events were refused and why, for a report.
    pub(crate) fn problems(&self) -> Vec<String> {
        let refused = (self.refused > 0).then(|| format!("{} events were refused", self.refused));
        refused
            .into_iter()
            .chain(self.reasons.iter().map(|(reason, count)| format!("{count} × {reason}")))
            .collect()
    }

    /// The counts, rates and latencies.
    pub(crate) fn section(self, name: &str, seconds: f64) -> Section {
        let counts = [
            Metric::per_second("events", self.latencies.len() as f64 / seconds),
            Metric::seconds("time", seconds),
            Metric::count("accepted", self.accepted as f64),
            Metric::count("duplicate", self.duplicate as f64),
            Metric::count("superseded", self.superseded as f64),
            Metric::count("refused", self.refused as f64),
        ];
        Section::new(name).with(counts).with(self.latencies.metrics("ok_")).with([
            Metric::bytes("sent", self.bytes_out as f64),
            Metric::bytes("received", self.bytes_in as f64),
        ])
    }

    fn judge(&mut self, is_accepted: bool, text: &[u8], is_replaceable: bool) {
        if text.starts_with(b"duplicate") {
            self.duplicate += 1;
        } else if is_accepted {
            self.accepted += 1;
        } else if is_replaceable {
            self.superseded += 1;
        } else {
            self.refused += 1;
            self.add_reason(text);
        }
    }

    /// Keeps the first few different reasons.
    fn add_reason(&mut self, text: &[u8]) {
        let reason = String::from_utf8_lossy(text).into_owned();
        if self.reasons.len() < 5 || self.reasons.contains_key(&reason) {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.duplicate += other.duplicate;
        self.superseded += other.superseded;
        self.refused += other.refused;
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.latencies.extend(other.latencies);
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
    }
}

/// Sixteen digits tell the events in flight apart.
fn key(id: &[u8]) -> [u8; 16] {
    id.first_chunk().copied().unwrap_or_default()
}

fn is_replaceable(line: &[u8]) -> bool {
    let Some(start) = memchr::memmem::find(line, b"\"kind\":") else {
        return false;
    };
    let digits =
        line[start + 7..].trim_ascii_start().iter().take_while(|byte| byte.is_ascii_digit());
    let kind = digits.fold(0_u64, |kind, digit| kind.saturating_mul(10) + u64::from(digit - b'0'));
    matches!(kind, 0 | 3 | 10_000..20_000 | 30_000..40_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaceable_kinds_are_known_from_the_line() {
        assert!(is_replaceable(br#"{"kind":0,"tags":[]}"#));
        assert!(is_replaceable(br#"{"kind": 30023}"#));
        assert!(!is_replaceable(br#"{"kind":1}"#));
    }

    #[test]
    fn refusal_of_a_replaceable_event_is_no_problem() {
        let mut tally = Tally::default();
        tally.judge(false, b"replaced: have newer", true);
        tally.judge(false, b"invalid: no", false);
        tally.judge(true, b"duplicate: have it", false);
        tally.judge(true, b"", false);
        assert_eq!(
            (tally.accepted, tally.duplicate, tally.superseded, tally.refused),
            (1, 1, 1, 1)
        );
        assert_eq!(tally.reasons.len(), 1);
    }
}
