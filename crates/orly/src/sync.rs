//! `sync`: makes the event store and another relay hold the same events (NIP-77).

mod arguments;
mod key;
mod outcome;
mod server;

use std::io::{self, BufWriter, Write};
use std::time::Instant;

use anyhow::Context;
use event::{EventId, Filter};
use relay_sync::{PrivateKinds, SyncOptions, SyncProgress, SyncReport, sync_with};
use service_settings::RelayDatabase;
use store_lmdb::Access;

pub(crate) use self::arguments::{EXAMPLES, Sync};

use self::outcome::Outcome;
use crate::event_store;
use crate::figures::grouped;
use crate::output::print;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::time::narrowed;

pub(crate) async fn run(settings: &Settings, arguments: &Sync) -> anyhow::Result<()> {
    if let Some(server) = &arguments.server {
        return server::run(arguments, server).await;
    }
    let mut settings = settings.clone();
    if let Some(data_dir) = &arguments.data_dir {
        settings.store.data_dir.clone_from(data_dir);
        settings.db_type = RelayDatabase::Embedded;
    }
    // Another process may be writing to the same event store: it notices what comes in.
    let access = if arguments.direction.fetches() { Access::Create } else { Access::Read };
    let store = event_store::of_command(&settings, access).await?;
    let mut options = options(arguments);
    options.client.keys = match &arguments.key {
        Some(key) => Some(key::read(key, &*store).await?),
        None => None,
    };
    let mut teller = Teller::new(arguments);
    let result =
        sync_with(&arguments.url, &*store, &options, |step, report| teller.tell(step, report))
            .await;
    teller.finish()?;
    let outcome = Outcome::new(arguments, result);
    if arguments.json {
        print(&outcome.json())?;
    } else if arguments.print_missing {
        eprint(&outcome.text());
    } else {
        print(&outcome.text())?;
    }
    outcome.into_result()
}

fn options(arguments: &Sync) -> SyncOptions {
    let mut options = SyncOptions {
        filter: filter(arguments),
        direction: arguments.direction,
        frame_size_limit: arguments.frame_size_limit,
        memory: daemon::available_memory(),
        private_kinds: if arguments.private {
            PrivateKinds::Include
        } else {
            PrivateKinds::Withhold
        },
        ..SyncOptions::default()
    };
    options.client.timeout = arguments.timeout;
    options
}

/// The filter, narrowed by --since and --until.
fn filter(arguments: &Sync) -> Filter {
    narrowed(arguments.filter.clone(), arguments.since, arguments.until)
}

/// Writes a line to stderr, whose reader may be gone.
fn eprint(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

/// Shows how far it is, and names what is missing where.
struct Teller {
    progress: Progress,
    started: Instant,
    is_verbose: bool,
    names: Option<BufWriter<io::Stdout>>,
    failed: Option<io::Error>,
}

impl Teller {
    fn new(arguments: &Sync) -> Self {
        let progress = Progress::start(None);
        if arguments.filter.limit.is_some() {
            progress
                .note("the filter's limit is left out: a synchronisation is of all that matches");
        }
        Self {
            progress,
            started: Instant::now(),
            is_verbose: arguments.verbose,
            names: arguments.print_missing.then(|| BufWriter::new(io::stdout())),
            failed: None,
        }
    }

    fn tell(&mut self, step: SyncProgress<'_>, report: &SyncReport) {
        if let SyncProgress::Round { have, need } = step {
            if self.is_verbose {
                let (have, need) = (grouped(have.len() as u64), grouped(need.len() as u64));
                self.progress.note(&format!("round {}: have {have}, need {need}", report.rounds));
            }
            if let Err(error) = self.name("have", have).and_then(|()| self.name("need", need)) {
                self.failed.get_or_insert(error);
            }
        }
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let moved = report.fetched + report.accepted;
        self.progress.update(moved, || {
            format!(
                "round {}, have {}, need {}, fetched {}, sent {}, {:.0} events/s",
                report.rounds,
                grouped(report.have),
                grouped(report.need),
                grouped(report.fetched),
                grouped(report.sent),
                moved as f64 / seconds,
            )
        });
    }

    fn name(&mut self, word: &str, ids: &[EventId]) -> io::Result<()> {
        let Some(out) = &mut self.names else { return Ok(()) };
        ids.iter().try_for_each(|id| writeln!(out, "{word},{id}"))
    }

    fn finish(mut self) -> anyhow::Result<()> {
        let flushed = self.names.as_mut().map_or(Ok(()), Write::flush);
        self.failed.map_or(flushed, Err).context("write to standard output")
    }
}
