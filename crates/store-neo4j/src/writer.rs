//! One task writes: what waits is gathered into one transaction, and answered when that is on disk.

use std::sync::Arc;
use std::time::Duration;

use event::{Address, Event, EventId, Timestamp};
use store::{SaveOutcome, StoreError, Tombstone};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::Neo4jError;
use crate::save::{Delete, Save, Sweep};
use crate::shared::Shared;

/// How many jobs may wait before who brings more has to.
const QUEUE: usize = 1024;
/// How much one transaction writes at most: Neo4j keeps all of it in memory until it ends, in a heap that is often
/// small. A tag costs about as much as an event.
const MAX_EVENTS: usize = 1000;
const MAX_TAGS: usize = 10_000;
const MAX_BYTES: usize = 4 << 20;
/// How often what expired is removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// Who waits for an answer.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What is to be written.
pub(crate) enum Job {
    Save { events: Vec<Event>, reply: Reply<Vec<SaveOutcome>> },
    Delete { ids: Vec<EventId>, tombstone: Tombstone, reply: Reply<u64> },
    DeleteAddresses { addresses: Vec<Address>, until: Timestamp, reply: Reply<u64> },
    Sweep { reply: Reply<()> },
}

/// Where jobs are left.
pub(crate) struct Queue(mpsc::Sender<Job>);

impl Queue {
    /// Starts the task; it ends when the queue is dropped and empty.
    pub(crate) fn start(shared: Arc<Shared>) -> Self {
        let (sender, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(shared, jobs));
        Self(sender)
    }

    /// Leaves a job, and waits for its answer.
    pub(crate) async fn submit<T>(
        &self,
        job: impl FnOnce(Reply<T>) -> Job,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let closed = || StoreError::Unavailable("the event store is closed".into());
        self.0.send(job(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

async fn run(shared: Arc<Shared>, mut jobs: mpsc::Receiver<Job>) {
    let mut next_sweep = Instant::now() + SWEEP_INTERVAL;
    let mut waiting = None;
    loop {
        let job = match waiting.take() {
            Some(job) => job,
            None => match timeout_at(next_sweep, jobs.recv()).await {
                Ok(Some(job)) => job,
                Ok(None) => return,
                Err(_) => {
                    next_sweep = Instant::now() + SWEEP_INTERVAL;
                    if let Err(error) = sweep(&shared).await {
                        tracing::debug!(%error, "what expired is not removed");
                    }
                    continue;
                }
            },
        };
        match job {
            Job::Save { events, reply } => {
                let mut batch = Gathered::new(events, reply);
                while batch.has_room() && waiting.is_none() {
                    match jobs.try_recv() {
                        Ok(Job::Save { events, reply }) => batch.push(events, reply),
                        Ok(other) => waiting = Some(other),
                        Err(_) => break,
                    }
                }
                batch.save(&shared).await;
            }
            Job::Delete { ids, tombstone, reply } => {
                let parts = ids.chunks(MAX_EVENTS).map(|ids| Delete::ids(ids, tombstone));
                answer(reply, delete(&shared, parts).await);
            }
            Job::DeleteAddresses { addresses, until, reply } => {
                let parts = addresses.chunks(MAX_EVENTS);
                let parts = parts.map(|addresses| Delete::addresses(addresses, until));
                answer(reply, delete(&shared, parts).await);
            }
            Job::Sweep { reply } => answer(reply, sweep(&shared).await),
        }
    }
}

/// Deletes in as many transactions as there are parts.
async fn delete(shared: &Shared, parts: impl Iterator<Item = Delete>) -> Result<u64, StoreError> {
    shared.graph().await?;
    let mut removed = 0;
    for mut part in parts {
        removed += shared.client.transaction(&mut part).await?;
    }
    Ok(removed)
}

async fn sweep(shared: &Shared) -> Result<(), StoreError> {
    shared.graph().await?;
    let mut sweep = Sweep { most: MAX_EVENTS as u64 };
    while shared.client.transaction(&mut sweep).await? {}
    Ok(())
}

/// Saves events in order, in as many transactions as they need.
async fn save(shared: &Shared, events: &[Event]) -> Result<Vec<SaveOutcome>, Neo4jError> {
    let graph = shared.graph().await?;
    let mut outcomes = Vec::with_capacity(events.len());
    let mut rest = events;
    while !rest.is_empty() {
        let (events, behind) = rest.split_at(fitting(rest));
        let relay_urls = &shared.relay_urls;
        let mut work = Save { events, relay_urls, hasher: &graph.hasher, first: None };
        let saved = shared.client.transaction(&mut work).await?;
        shared.announce(saved.last_serial);
        outcomes.extend(saved.outcomes);
        rest = behind;
    }
    Ok(outcomes)
}

/// How many of the first events one transaction writes.
fn fitting(events: &[Event]) -> usize {
    let (mut bytes, mut tags) = (0, 0);
    let fits = |event: &&Event| {
        bytes += event.as_ref().as_bytes().len();
        tags += event.as_ref().tags().indexed().count();
        bytes <= MAX_BYTES && tags <= MAX_TAGS
    };
    events.iter().take(MAX_EVENTS).take_while(fits).count().max(1)
}

/// Whoever asked may have gone.
fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>) {
    drop(reply.send(result));
}

/// Batches of several callers, saved as one.
struct Gathered {
    events: Vec<Event>,
    bytes: usize,
    /// How many events each caller has.
    replies: Vec<(usize, Reply<Vec<SaveOutcome>>)>,
}

impl Gathered {
    fn new(events: Vec<Event>, reply: Reply<Vec<SaveOutcome>>) -> Self {
        let mut gathered = Self { events: Vec::new(), bytes: 0, replies: Vec::new() };
        gathered.push(events, reply);
        gathered
    }

    const fn has_room(&self) -> bool {
        self.events.len() < MAX_EVENTS && self.bytes < MAX_BYTES
    }

    fn push(&mut self, events: Vec<Event>, reply: Reply<Vec<SaveOutcome>>) {
        self.replies.push((events.len(), reply));
        self.bytes += events.iter().map(|event| event.as_ref().as_bytes().len()).sum::<usize>();
        self.events.extend(events);
    }

    async fn save(self, shared: &Shared) {
        match save(shared, &self.events).await {
            Ok(outcomes) => {
                let mut outcomes = outcomes.into_iter();
                for (len, reply) in self.replies {
                    answer(reply, Ok(outcomes.by_ref().take(len).collect()));
                }
            }
            Err(error) => {
                let text = error.to_string();
                let mut first = Some(StoreError::from(error));
                for (_, reply) in self.replies {
                    let error =
                        first.take().unwrap_or_else(|| StoreError::Unavailable(text.clone()));
                    answer(reply, Err(error));
                }
            }
        }
    }
}
