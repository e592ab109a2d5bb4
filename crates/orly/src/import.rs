//! `import`: stores the events of a file.
//!
//! Threads take turns at reading a chunk of lines, and read and verify the events of theirs side by
//! side; the chunks come out in order. What they found is saved in large batches, one of which is
//! written while the next is gathered.

mod check;
mod chunks;
mod memory;
mod pipeline;
mod resume;
mod source;
mod tally;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use anyhow::{Context, bail};
use event::Event;
use store::{EventStore, SaveOutcome, StoreError};
use store_lmdb::{Access, LmdbStore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::check::Trust;
use self::chunks::Position;
use self::pipeline::Pipeline;
use self::resume::Resume;
use self::source::Source;
use self::tally::Tally;
use crate::command_line::Import;
use crate::figures::grouped;
use crate::output::print;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::wiring;

/// How many bytes of events are saved at once, where memory allows. Ids and authors are spread over whole
/// indexes, so that a commit writes most of their pages: of a million events in batches of 14 MiB
/// 22 GB are written, in batches of 70 MiB 4 GB. While the store is small, small batches cost little,
/// and reading the next goes on beside the writing.
const BATCH: RangeInclusive<u64> = 8 << 20..=64 << 20;
/// How many batches the store has room for before they grow.
const BATCHES_IN_STORE: u64 = 8;
/// A batch takes about ten times its bytes while it is written.
const BATCHES_IN_MEMORY: u64 = 32;

pub(crate) async fn run(
    settings: &Settings,
    arguments: &Import,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let source = Source::open(&arguments.file)?;
    let store = Arc::new(wiring::open(settings, Access::Create)?);
    let resume = Resume::new(Arc::clone(&store), &source, &arguments.file);
    let start = if arguments.restart { None } else { resume.position().await? };
    let trust = if arguments.no_verify { Trust::All } else { Trust::Stored(Arc::clone(&store)) };
    let progress = Progress::start(source.len);
    if let Some(start) = start {
        progress.note(&format!(
            "going on behind line {}, where an earlier import stopped (--restart starts anew)",
            grouped(start.lines)
        ));
    }
    let read = Arc::clone(&source.read);
    let pipeline = Pipeline::start(source, start.unwrap_or_default(), trust)?;
    let mut run = Run {
        store,
        resume,
        pipeline,
        progress,
        tally: Tally::default(),
        batch: Batch::default(),
        saving: None,
        started: Instant::now(),
        available: memory::available(),
        wanted: *BATCH.start(),
    };
    let ended = run.all(shutdown, || read.load(Ordering::Relaxed)).await;
    let Run { progress, tally, resume, started, .. } = run;
    drop(progress);
    let place = ended?;
    print(&tally.summary(started.elapsed()))?;
    if let Some(place) = place {
        bail!(
            "interrupted behind line {}; the same command goes on from there",
            grouped(place.lines)
        );
    }
    resume.clear().await?;
    match tally.bad() {
        0 => Ok(()),
        _ if arguments.lenient => Ok(()),
        1 => bail!("1 line is no valid event"),
        bad => bail!("{} lines are no valid events", grouped(bad)),
    }
}

/// How many bytes the next batch has, for a store of `stored` bytes.
fn batch_bytes(stored: u64, available: u64) -> u64 {
    let wanted = (stored / BATCHES_IN_STORE).clamp(*BATCH.start(), *BATCH.end());
    wanted.min(available / BATCHES_IN_MEMORY)
}

/// Events that are saved at once, and what the file was read up to with them.
#[derive(Default)]
struct Batch {
    events: Vec<Event>,
    bytes: u64,
    end: Position,
}

type Saving = JoinHandle<Result<Vec<SaveOutcome>, StoreError>>;

/// An import under way.
struct Run {
    store: Arc<LmdbStore>,
    resume: Resume,
    pipeline: Pipeline,
    progress: Progress,
    tally: Tally,
    batch: Batch,
    saving: Option<(Saving, Position)>,
    started: Instant,
    /// How much memory there was at the start.
    available: u64,
    /// How many bytes the batch is to have.
    wanted: u64,
}

impl Run {
    /// Imports all there is; where it stopped if it was told to stop.
    async fn all(
        &mut self,
        shutdown: &CancellationToken,
        read: impl Fn() -> u64,
    ) -> anyhow::Result<Option<Position>> {
        loop {
            let next = if shutdown.is_cancelled() {
                None
            } else {
                shutdown.run_until_cancelled(self.pipeline.next()).await.flatten()
            };
            let Some(checked) = next else { break };
            let checked = checked?;
            self.tally.add(&checked, |line| self.progress.note(line));
            self.batch.end = checked.end;
            self.batch.bytes += checked.bytes;
            self.batch.events.extend(checked.events);
            if self.batch.bytes >= self.wanted {
                self.save().await?;
            }
            let (tally, started) = (&self.tally, self.started);
            self.progress.update(read(), || tally.line(started.elapsed()));
        }
        self.save().await?;
        let end = self.saved().await?;
        Ok(end.filter(|_| shutdown.is_cancelled()))
    }

    /// Begins to save the batch, once the one before is on disk.
    async fn save(&mut self) -> anyhow::Result<()> {
        self.saved().await?;
        let batch = std::mem::take(&mut self.batch);
        let store = Arc::clone(&self.store);
        let saving = tokio::spawn(async move { store.save(batch.events).await });
        self.saving = Some((saving, batch.end));
        Ok(())
    }

    /// Waits until what is being saved is on disk; returns what the file was read up to with it.
    async fn saved(&mut self) -> anyhow::Result<Option<Position>> {
        let Some((saving, end)) = self.saving.take() else { return Ok(None) };
        let outcomes = saving.await.context("save events")?.context("save events")?;
        self.tally.count(&outcomes);
        self.resume.save(end).await?;
        let stored = self.store.status().await.context("measure the event store")?.disk_bytes;
        self.wanted = batch_bytes(stored, self.available);
        Ok(Some(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_with_the_store_as_far_as_memory_allows() {
        const MIB: u64 = 1 << 20;
        let cases = [(0, 4096, 8), (256, 4096, 32), (4096, 4096, 64), (4096, 1024, 32), (0, 64, 2)];
        for (stored, available, batch) in cases {
            assert_eq!(batch_bytes(stored * MIB, available * MIB), batch * MIB);
        }
    }
}
