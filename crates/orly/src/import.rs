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

/// How many bytes of events are saved at once, at least and at most. Ids and authors are spread over
/// whole indexes, so that each commit writes most of their pages: of a million events in batches of
/// 14 MiB 22 GB are written, in batches of 70 MiB 4 GB.
const BATCH: RangeInclusive<u64> = 4 << 20..=64 << 20;
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
        most: batch_bytes(memory::available()),
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

fn batch_bytes(available: u64) -> u64 {
    (available / BATCHES_IN_MEMORY).clamp(*BATCH.start(), *BATCH.end())
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
    /// How many bytes of events are saved at once.
    most: u64,
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
            if self.batch.bytes >= self.most {
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
        Ok(Some(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_smaller_where_memory_is_short() {
        const MIB: u64 = 1 << 20;
        for (available, batch) in [(64, 4), (256, 8), (1024, 32), (1 << 20, 64)] {
            assert_eq!(batch_bytes(available * MIB), batch * MIB);
        }
    }
}
