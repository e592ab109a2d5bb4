//! `fanout`: many subscribers with different filters, a stream of fresh events, and who gets what when.

mod audience;
mod board;
mod programme;
mod publisher;

use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::ensure;
use clap::Args;
use futures_util::future::{Either, join_all, select, try_join_all};
use tokio::time::sleep;

use crate::client::{Address, Client, Message, event_id};
use crate::duration::parse_duration;
use crate::fanout::board::Board;
use crate::fanout::programme::Programme;
use crate::fanout::publisher::{Pace, Published};
use crate::latency::Latencies;
use crate::process::{self, Server, Usage};
use crate::report::{Metric, Report, Section, tell};
use crate::subscribers::{self, Opening, Subscriber};

/// Arguments of `fanout`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The relay, as ws://HOST:PORT.
    pub(crate) url: Address,
    /// Connections with a live subscription each.
    #[arg(long, default_value_t = 1000)]
    pub(crate) subscribers: usize,
    /// Fresh events a second; 0 publishes as fast as OKs come (--count, --window).
    #[arg(long, default_value_t = 1000)]
    pub(crate) rate: u32,
    /// How long events are published.
    #[arg(long, default_value = "10s", value_parser = parse_duration)]
    pub(crate) duration: Duration,
    /// Connections that publish.
    #[arg(long, default_value_t = 1)]
    pub(crate) publishers: usize,
    /// With --rate 0: events prepared, at most; they are published sooner or the time is over.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) count: usize,
    /// With --rate 0: events a publisher may have unanswered.
    #[arg(long, default_value_t = 100)]
    pub(crate) window: usize,
    /// A file of `gen`: fresh events and filters refer to its notes too.
    #[arg(long, value_name = "FILE")]
    pub(crate) sample: Option<PathBuf>,
    /// The seed whose authors sign, as for `gen`.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many authors there are, as for `gen`.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) authors: usize,
    /// How long to wait for late deliveries once none comes any more.
    #[arg(long, default_value = "2s", value_parser = parse_duration)]
    pub(crate) grace: Duration,
}

/// What was measured, before it is summed up.
struct Outcome {
    published: Vec<Published>,
    publishing: Duration,
    delivering: Duration,
    lost_connections: usize,
    usage: (Option<Usage>, Option<Usage>),
}

/// Opens the subscriptions, publishes, and counts deliveries.
pub(crate) async fn run(options: &Options, server: Option<Server>) -> anyhow::Result<Report> {
    ensure!(
        options.publishers > 0 && options.authors > 0,
        "--publishers and --authors must be at least 1"
    );
    let Programme { filters, events } = programme(options)?;
    tell(&format!(
        "fanout: {} events are signed, opening {} subscriptions …",
        events.len(),
        filters.len()
    ));
    let subscribers = subscribers::open_all(&options.url, &filters, Opening::Subscription).await?;
    let publishers =
        try_join_all((0..options.publishers).map(|_| Client::connect(&options.url))).await?;
    let pace = match options.rate {
        0 => Pace::Window(options.window.max(1)),
        rate => Pace::PerSecond(rate),
    };

    let board = Board::new(&events);
    let lost_connections = Cell::new(0);
    let before = process::usage(server)?;
    let started = Instant::now();
    let listening = join_all(
        subscribers.into_iter().map(|subscriber| listen(subscriber, &board, &lost_connections)),
    );
    let publishing = async {
        let publish =
            |client| publisher::publish(client, &events, &board, pace, started, options.duration);
        let published = try_join_all(publishers.into_iter().map(publish)).await?;
        let publishing = started.elapsed();
        wait_for_deliveries(&board, options.grace).await;
        anyhow::Ok((published, publishing))
    };
    let (published, publishing) = match select(Box::pin(publishing), listening).await {
        Either::Left((done, _)) => done?,
        Either::Right((_, publishing)) => publishing.await?,
    };
    let after = process::usage(server)?;
    let delivering = board.last_received.get().saturating_duration_since(started);
    let lost_connections = lost_connections.get();
    let outcome =
        Outcome { published, publishing, delivering, lost_connections, usage: (before, after) };
    Ok(report(options, &board, outcome))
}

fn programme(options: &Options) -> anyhow::Result<Programme> {
    let count = match options.rate {
        0 => options.count,
        rate => usize::try_from(u128::from(rate) * options.duration.as_millis() / 1000)?.max(1),
    };
    // Without a rate the events of a run share a second or two.
    let per_second = if options.rate == 0 { 20_000 } else { u64::from(options.rate) };
    let authors = (options.seed, options.authors);
    programme::prepare(options.subscribers, count, per_second, authors, options.sample.as_deref())
}

/// Reads deliveries until the connection ends.
async fn listen(mut subscriber: Subscriber, board: &Board, lost_connections: &Cell<usize>) {
    loop {
        let now = Instant::now();
        loop {
            match subscriber.client.next_message() {
                Ok(Some(Message::Event(message))) => {
                    if let Some(id) = event_id(message) {
                        board.note_received(id, now);
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return lost_connections.set(lost_connections.get() + 1),
            }
        }
        if subscriber.client.exchange().await.is_err() {
            return lost_connections.set(lost_connections.get() + 1);
        }
    }
}

async fn wait_for_deliveries(board: &Board, grace: Duration) {
    let published_at = Instant::now();
    while board.balance().lost > 0 && board.last_received.get().max(published_at).elapsed() < grace
    {
        sleep(Duration::from_millis(20)).await;
    }
}

fn report(options: &Options, board: &Board, outcome: Outcome) -> Report {
    let balance = board.balance();
    let received = board.received.get();
    let events = board.taken.get();
    let mut report = Report::new("fanout", &options.url.to_string());
    if balance.lost > 0 {
        report
            .problems
            .push(format!("{} of {} deliveries were lost", balance.lost, balance.expected));
    }
    if balance.unexpected > 0 {
        report.problems.push(format!(
            "{} deliveries went to subscribers that did not ask",
            balance.unexpected
        ));
    }
    if outcome.lost_connections > 0 {
        report
            .problems
            .push(format!("{} subscribers lost their connection", outcome.lost_connections));
    }
    let mut answers = Latencies::default();
    for published in outcome.published {
        if let Some(reason) = published.first_reason {
            report
                .problems
                .push(format!("{} events were refused, the first: {reason}", published.refused));
        }
        answers.extend(published.latencies);
    }
    report.push(
        Section::new("fanout")
            .with([
                Metric::count("subscribers", options.subscribers as f64),
                Metric::count("events", events as f64),
                Metric::per_second("events", events as f64 / outcome.publishing.as_secs_f64()),
                Metric::per_second(
                    "deliveries",
                    received as f64 / outcome.delivering.as_secs_f64().max(1e-9),
                ),
                Metric::count("deliveries", received as f64),
                Metric::count("lost", balance.lost as f64),
                Metric::count("unexpected", balance.unexpected as f64),
            ])
            .with(board.delivery.take().metrics("delivery_"))
            .with(answers.metrics("ok_"))
            .with(process::cpu_metrics(outcome.usage.0, outcome.usage.1, "delivery", received))
            .with(process::cpu_metrics(outcome.usage.0, outcome.usage.1, "event", events).pop()),
    );
    report.push(process::memory_section(outcome.usage.1));
    report
}
