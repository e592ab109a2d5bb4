//! Saving what the pipeline gives, a batch at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context;
use event::Event;
use service_store::Store;
use store::{SaveOutcome, StoreError, bulk_bytes};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::chunks::Position;
use super::pipeline::Pipeline;
use super::resume::Resume;
use super::tally::Tally;
use crate::progress::Progress;

/// How an import ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All was read.
    Complete,
    /// It was told to stop.
    Interrupted {
        /// All lines up to this one are on disk.
        line: u64,
    },
}

/// An import under way.
pub(crate) struct Run {
    store: Arc<dyn Store>,
    resume: Resume,
    pipeline: Pipeline,
    progress: Progress,
    /// How many bytes of the file were read.
    read: Arc<AtomicU64>,
    tally: Tally,
    batch: Vec<Event>,
    batch_bytes: u64,
    /// What the batch comes to when it is on disk.
    end: Position,
    saving: Option<Saving>,
    /// What is in front of it is on disk.
    saved: Position,
    started: Instant,
    /// How much memory there was at the start.
    memory: u64,
    /// How many bytes the batch is to have.
    wanted: u64,
}

/// A batch on its way to disk.
struct Saving {
    outcomes: JoinHandle<Result<Vec<SaveOutcome>, StoreError>>,
    end: Position,
}

impl Run {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        resume: Resume,
        pipeline: Pipeline,
        progress: Progress,
        read: Arc<AtomicU64>,
        start: Position,
    ) -> Self {
        let memory = daemon::available_memory();
        Self {
            store,
            resume,
            pipeline,
            progress,
            read,
            tally: Tally::default(),
            batch: Vec::new(),
            batch_bytes: 0,
            end: start,
            saving: None,
            saved: start,
            started: Instant::now(),
            memory,
            wanted: bulk_bytes(0, memory),
        }
    }

    /// Imports all there is, or until it is told to stop. What was read is saved in any case.
    pub(crate) async fn all(&mut self, shutdown: &CancellationToken) -> anyhow::Result<Ended> {
        let result = self.gather(shutdown).await;
        self.save().await?;
        self.wait().await?;
        let ended = result?;
        if ended == Ended::Complete {
            self.resume.clear().await?;
        }
        Ok(match ended {
            Ended::Complete => Ended::Complete,
            Ended::Interrupted { .. } => Ended::Interrupted { line: self.saved.lines },
        })
    }

    /// What was done, and how it is told.
    pub(crate) fn finish(self) -> (Tally, String) {
        let summary = self.tally.summary(self.started.elapsed());
        (self.tally, summary)
    }

    async fn gather(&mut self, shutdown: &CancellationToken) -> anyhow::Result<Ended> {
        loop {
            if shutdown.is_cancelled() {
                return Ok(Ended::Interrupted { line: self.saved.lines });
            }
            let Some(next) = shutdown.run_until_cancelled(self.pipeline.next()).await else {
                continue;
            };
            let Some(checked) = next else { return Ok(Ended::Complete) };
            let checked = checked?;
            self.tally.add(&checked, |line| self.progress.note(line));
            self.end = checked.end;
            self.batch_bytes += checked.bytes;
            self.batch.extend(checked.events);
            if self.batch_bytes >= self.wanted {
                self.save().await?;
            }
            let (tally, started) = (&self.tally, self.started);
            let read = self.read.load(Ordering::Relaxed);
            self.progress.update(read, || tally.line(started.elapsed()));
        }
    }

    /// Begins to save the batch, once the one before is on disk.
    async fn save(&mut self) -> anyhow::Result<()> {
        self.wait().await?;
        if self.end == self.saved {
            return Ok(());
        }
        let (events, store) = (std::mem::take(&mut self.batch), Arc::clone(&self.store));
        self.batch_bytes = 0;
        let outcomes = tokio::spawn(async move { store.save(events).await });
        self.saving = Some(Saving { outcomes, end: self.end });
        Ok(())
    }

    /// Waits until what is being saved is on disk.
    async fn wait(&mut self) -> anyhow::Result<()> {
        let Some(Saving { outcomes, end }) = self.saving.take() else { return Ok(()) };
        let outcomes = outcomes.await.context("save events")?.context("save events")?;
        self.tally.count(&outcomes);
        self.saved = end;
        self.resume.save(end).await?;
        let stored = self.store.status().await.context("measure the event store")?.disk_bytes;
        self.wanted = bulk_bytes(stored, self.memory);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
