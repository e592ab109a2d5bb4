//! The one thread that writes: what waits becomes one transaction, and is answered once on disk.

mod job;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use event::Timestamp;
use heed::RwTxn;
use nix::sys::statvfs::statvfs;
use parking_lot::Mutex;
use store::{EventBatch, StoreError};
use tokio::sync::SetOnce;

use crate::LmdbError;
use crate::delete::{remove_at, remove_expired, remove_ids};
use crate::env::Lmdb;
use crate::error::{is_disk_full, is_short_write};
use crate::save::Batch;
use crate::summary::Changes;
use crate::watch::Feed;

use job::{Done, copy};

pub(crate) use job::Job;

/// How many jobs may wait.
const QUEUE: usize = 1024;
/// A transaction takes no further job once it has this many events.
const TXN_EVENTS: usize = 20_000;
/// How often expired events are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// How many expired events one transaction removes.
const SWEEP_MOST: usize = 10_000;
/// How often readers of processes that died are let go: what they read stays in the file until then.
const READERS_INTERVAL: Duration = Duration::from_secs(30);
/// A write that stopped half way stopped for want of room if the disk has less than this.
const SHORT_OF: u64 = 1 << 20;
/// How much room on the disk an event is reckoned to take.
const EVENT_BYTES: u64 = 1024;

/// Why nothing can be written, shared with whoever asks for the status.
pub(crate) type ReadOnly = Arc<Mutex<Option<String>>>;
/// How the database broke, shared with whoever must end the process then.
pub(crate) type Broken = Arc<SetOnce<LmdbError>>;

/// The writer's end of the store.
pub(crate) struct Writer {
    lmdb: Arc<Lmdb>,
    feed: Arc<Feed>,
    read_only: ReadOnly,
    broken: Broken,
    relay_urls: Vec<String>,
    jobs: Receiver<Job>,
}

/// The queue to the writer, closed when the last clone is dropped.
pub(crate) type Queue = SyncSender<Job>;

impl Writer {
    pub(crate) fn new(
        lmdb: Arc<Lmdb>,
        feed: Arc<Feed>,
        read_only: ReadOnly,
        broken: Broken,
        relay_urls: Vec<String>,
    ) -> (Queue, Self) {
        let (queue, jobs) = std::sync::mpsc::sync_channel(QUEUE);
        (queue, Self { lmdb, feed, read_only, broken, relay_urls, jobs })
    }

    /// Works until the queue is closed and empty.
    pub(crate) fn run(self) {
        let mut sweep_at = Instant::now();
        let mut readers_at = sweep_at + READERS_INTERVAL;
        loop {
            let wait = sweep_at.saturating_duration_since(Instant::now());
            match self.jobs.recv_timeout(wait) {
                Ok(job) => self.commit(self.gather(job)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if sweep_at <= Instant::now() {
                self.sweep();
                sweep_at = Instant::now() + SWEEP_INTERVAL;
            }
            if readers_at <= Instant::now() {
                self.let_readers_go();
                readers_at = Instant::now() + READERS_INTERVAL;
            }
        }
    }

    /// Takes what else waits, as much as one transaction should hold.
    fn gather(&self, first: Job) -> Vec<Job> {
        let mut events = first.events();
        let mut jobs = vec![first];
        while events < TXN_EVENTS && jobs.len() < QUEUE {
            let Ok(job) = self.jobs.try_recv() else { break };
            events += job.events();
            jobs.push(job);
        }
        jobs
    }

    fn commit(&self, jobs: Vec<Job>) {
        let work = |wtxn: &mut RwTxn<'_>| {
            let mut done = Vec::with_capacity(jobs.len());
            let mut stored = Vec::new();
            for job in &jobs {
                done.push(self.apply(job, wtxn, &mut stored)?);
            }
            Ok((done, stored))
        };
        let result = if jobs.iter().all(Job::makes_room) {
            self.lmdb.free(work)
        } else {
            self.check_disk(&jobs).and_then(|()| self.lmdb.write(work))
        };
        match result {
            Ok((done, stored)) => {
                self.writable();
                stored.into_iter().for_each(|batch| self.feed.publish(batch));
                jobs.into_iter().zip(done).for_each(|(job, done)| job.answer(Ok(done)));
            }
            Err(error) => {
                let refusal = self.refusal(error);
                self.refuse(jobs, &refusal);
            }
        }
    }

    /// Answers jobs that failed together; what makes room is tried again without what takes it.
    fn refuse(&self, jobs: Vec<Job>, refusal: &StoreError) {
        let is_full = matches!(refusal, StoreError::ReadOnly(_));
        let (room, rest): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(Job::makes_room);
        let room_alone = is_full && !room.is_empty() && !rest.is_empty();
        rest.into_iter().for_each(|job| job.answer(Err(copy(refusal))));
        if room_alone {
            self.commit(room);
        } else {
            room.into_iter().for_each(|job| job.answer(Err(copy(refusal))));
        }
    }

    fn apply(
        &self,
        job: &Job,
        wtxn: &mut RwTxn<'_>,
        stored: &mut Vec<EventBatch>,
    ) -> Result<Done, LmdbError> {
        let tables = &self.lmdb.tables;
        match job {
            Job::Save { events, .. } => {
                let mut batch = Batch::new(tables, wtxn, Timestamp::now(), &self.relay_urls)?;
                let outcomes =
                    events.iter().map(|event| batch.save(event)).collect::<Result<_, _>>()?;
                stored.push(batch.finish(self.lmdb.options.keep_summaries)?);
                Ok(Done::Saved(outcomes))
            }
            Job::Delete { ids, tombstone, .. } => {
                let removed = self.remove(wtxn, |wtxn, changes| {
                    remove_ids(tables, wtxn, ids, *tombstone, changes)
                })?;
                Ok(Done::Deleted(removed))
            }
            Job::DeleteAddresses { addresses, until, .. } => {
                let removed = self.remove(wtxn, |wtxn, changes| {
                    addresses.iter().try_fold(0, |removed, address| {
                        let is_removed = remove_at(tables, wtxn, address, *until, changes)?;
                        Ok(removed + u64::from(is_removed))
                    })
                })?;
                Ok(Done::Deleted(removed))
            }
            Job::SetMarker { key, value, .. } => {
                match value {
                    Some(value) => tables.markers.put(wtxn, key.as_bytes(), value)?,
                    None => drop(tables.markers.delete(wtxn, key.as_bytes())?),
                }
                Ok(Done::Marked)
            }
            Job::ClaimMarker { key, value, .. } => {
                let held = tables.markers.get(wtxn, key.as_bytes())?.map(<[u8]>::to_vec);
                if held.is_none() {
                    tables.markers.put(wtxn, key.as_bytes(), value)?;
                }
                Ok(Done::Claimed(held.unwrap_or_else(|| value.clone())))
            }
            Job::Sweep { .. } => {
                self.remove_expired(wtxn, Timestamp::now())?;
                Ok(Done::Marked)
            }
        }
    }

    /// Takes events out, and out of the summaries.
    fn remove<T>(
        &self,
        wtxn: &mut RwTxn<'_>,
        work: impl FnOnce(&mut RwTxn<'_>, &mut Changes) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        let mut changes = Changes::default();
        let done = work(wtxn, &mut changes)?;
        if self.lmdb.options.keep_summaries {
            changes.apply(&self.lmdb.tables, wtxn)?;
        }
        Ok(done)
    }

    /// Takes out some of what expired; returns how much.
    fn remove_expired(&self, wtxn: &mut RwTxn<'_>, now: Timestamp) -> Result<usize, LmdbError> {
        self.remove(wtxn, |wtxn, changes| {
            remove_expired(&self.lmdb.tables, wtxn, now, SWEEP_MOST, changes)
        })
    }

    fn let_readers_go(&self) {
        match self.lmdb.clear_stale_readers() {
            Ok(0) => {}
            Ok(readers) => tracing::info!(readers, "let go readers of processes that died"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "look for readers of processes that died");
            }
        }
    }

    /// Removes what expired.
    fn sweep(&self) {
        let now = Timestamp::now();
        let due = self.lmdb.read(|txn| {
            let first = self.lmdb.tables.by_expiration.first(txn)?;
            Ok(first.is_some_and(|(key, _)| key[..5] <= crate::keys::oldest_first(now)[..]))
        });
        let removed = match due {
            Ok(false) => return,
            Ok(true) => self.lmdb.free(|wtxn| self.remove_expired(wtxn, now)),
            Err(error) => Err(error),
        };
        match removed {
            Ok(removed) => tracing::debug!(removed, "remove expired events"),
            Err(error) => drop(self.refusal(error)),
        }
    }

    /// Refuses to start what the disk has no room for: a failed commit costs more than a refused one.
    fn check_disk(&self, jobs: &[Job]) -> Result<(), LmdbError> {
        let waiting: usize = jobs.iter().map(Job::events).sum();
        let needed = self.lmdb.options.disk_reserve + (waiting as u64) * EVENT_BYTES;
        if self.free_disk()? < needed {
            return Err(heed::Error::Io(std::io::ErrorKind::StorageFull.into()).into());
        }
        Ok(())
    }

    /// How many bytes are free on the disk.
    fn free_disk(&self) -> Result<u64, LmdbError> {
        let disk = statvfs(self.lmdb.path()).map_err(|error| heed::Error::Io(error.into()))?;
        Ok(disk.blocks_available() * disk.fragment_size())
    }

    /// Whether `error` comes of a full disk.
    fn is_disk_full(&self, error: &LmdbError) -> bool {
        is_disk_full(error)
            || is_short_write(error) && self.free_disk().is_ok_and(|free| free < SHORT_OF)
    }

    fn writable(&self) {
        if self.read_only.lock().take().is_some() {
            tracing::info!("event store can be written again");
        }
    }

    /// Turns a failure into what clients are told, and remembers that writing does not work.
    fn refusal(&self, error: LmdbError) -> StoreError {
        let reason = if self.is_disk_full(&error) {
            format!("no room left on the disk of {}: free some space", self.lmdb.path().display())
        } else if let LmdbError::Full { .. } = error {
            error.to_string()
        } else if let LmdbError::Broken { .. } | LmdbError::NewerSchema { .. } = error {
            let refusal = StoreError::Unavailable(error.to_string());
            // Whoever waits for it tells it; nothing else can break it again.
            drop(self.broken.set(error));
            return refusal;
        } else {
            tracing::error!(error = &error as &dyn std::error::Error, "write to the event store");
            return error.into();
        };
        let mut read_only = self.read_only.lock();
        if read_only.as_ref() != Some(&reason) {
            tracing::error!(reason, "event store is read-only");
            *read_only = Some(reason.clone());
        }
        StoreError::ReadOnly(reason)
    }
}

/// Puts a job into the queue, waiting off the runtime if it is full.
pub(crate) async fn send(queue: &Queue, job: Job) -> Result<(), StoreError> {
    let gone = || StoreError::Unavailable("the event store is closed".into());
    match queue.try_send(job) {
        Ok(()) => Ok(()),
        Err(TrySendError::Disconnected(_)) => Err(gone()),
        Err(TrySendError::Full(job)) => {
            let queue = queue.clone();
            let sent = tokio::task::spawn_blocking(move || queue.send(job).is_ok()).await;
            if sent.unwrap_or(false) { Ok(()) } else { Err(gone()) }
        }
    }
}
