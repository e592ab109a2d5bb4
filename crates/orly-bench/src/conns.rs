//! `conns`: many idle connections with a subscription each, and what they cost the server.

use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use futures_util::future::join_all;
use tokio::time::timeout;

use crate::client::Address;
use crate::duration::parse_duration;
use crate::latency::Latencies;
use crate::process::{self, Server, Usage};
use crate::report::{Metric, Report, Section};
use crate::subscribers::{self, Opening, Subscriber};

/// Arguments of `conns`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The relay, as ws://HOST:PORT.
    pub(crate) url: Address,
    /// How many connections to open.
    #[arg(long, default_value_t = 1000)]
    pub(crate) count: usize,
    /// How long they stay open, idle.
    #[arg(long, default_value = "2s", value_parser = parse_duration)]
    pub(crate) hold: Duration,
    /// The subscription of each connection; an n in braces becomes its number in 64 hex digits.
    #[arg(long, default_value = r#"{"authors":["{n}"],"limit":1}"#)]
    pub(crate) filter: String,
    /// Open a reconciliation of the filter (NEG-OPEN) on each connection instead of a subscription.
    #[arg(long)]
    pub(crate) negentropy: bool,
}

/// Opens the connections, holds them, and compares the server's memory before and after.
pub(crate) async fn run(options: &Options, server: Option<Server>) -> anyhow::Result<Report> {
    ensure!(options.count > 0, "--count must be at least 1");
    let filters: Vec<_> =
        (0..options.count).map(|n| options.filter.replace("{n}", &format!("{n:064x}"))).collect();
    let opening = if options.negentropy { Opening::Reconciliation } else { Opening::Subscription };
    let before = process::usage(server)?;
    let started = Instant::now();
    let subscribers = subscribers::open_all(&options.url, &filters, opening).await?;
    let seconds = started.elapsed().as_secs_f64();
    let opened = process::usage(server)?;

    let mut latencies = Latencies::default();
    subscribers.iter().for_each(|subscriber| latencies.push(subscriber.opened_in));
    let held =
        join_all(subscribers.into_iter().map(|subscriber| hold(subscriber, options.hold))).await;
    let after = process::usage(server)?;

    let dropped = held.iter().filter(|subscriber| subscriber.is_none()).count();
    let mut report = Report::new("conns", &options.url.to_string());
    if dropped > 0 {
        report.problems.push(format!("{dropped} connections were lost while idle"));
    }
    report.push(
        Section::new("connections")
            .with([
                Metric::count("connections", options.count as f64),
                Metric::seconds("time", seconds),
                Metric::per_second("opened", options.count as f64 / seconds),
                Metric::count("lost", dropped as f64),
            ])
            .with(latencies.metrics("open_"))
            .with(process::cpu_metrics(before, opened, "connection", options.count))
            .with(memory_per_connection(before, after, options.count))
            .with(idle_cpu(opened, after, options.hold)),
    );
    report.push(process::memory_section(after));
    Ok(report)
}

/// Keeps the connection alive, and returns it unless it was lost.
async fn hold(mut subscriber: Subscriber, duration: Duration) -> Option<Subscriber> {
    let listening = async {
        loop {
            while subscriber.client.next_message()?.is_some() {}
            subscriber.client.exchange().await?;
        }
    };
    let ended: Result<anyhow::Result<()>, _> = timeout(duration, listening).await;
    ended.is_err().then_some(subscriber)
}

fn memory_per_connection(before: Option<Usage>, after: Option<Usage>, count: usize) -> Vec<Metric> {
    let (Some(before), Some(after)) = (before, after) else {
        return Vec::new();
    };
    let per_connection =
        |after: u64, before: u64| after.saturating_sub(before) as f64 / count as f64;
    vec![
        Metric::bytes(
            "anonymous_per_connection",
            per_connection(after.anonymous, before.anonymous),
        ),
        Metric::bytes("rss_per_connection", per_connection(after.rss, before.rss)),
    ]
}

fn idle_cpu(opened: Option<Usage>, after: Option<Usage>, hold: Duration) -> Option<Metric> {
    let cpu = after?.cpu_since(&opened?).as_secs_f64();
    Some(Metric::millis("server_cpu_per_idle_second", cpu * 1e3 / hold.as_secs_f64().max(1e-3)))
}
