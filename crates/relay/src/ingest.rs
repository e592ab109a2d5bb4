//! The path of an event: known already? → verified → stored → answered, delivered.
//!
//! Signatures are checked on threads of their own. Verified events gather while a commit is under
//! way, and become the next one.

mod admit;
mod heed;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use acl::AccessControl;
use async_channel::{Receiver, Sender, bounded};
use event::{Event, EventRef, Kind, Prefix, Pubkey, Rejection, Verifier};
use futures_util::future::join_all;
use store::{EventStore, SaveOutcome, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

pub(crate) use admit::admit;
use heed::heed;

use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::relay::{NewestSerial, deliver};
use crate::subscriptions::Subscriptions;

/// How many events may wait for verification or for a commit.
const QUEUE: usize = 8192;
const KIB: usize = 1024;
/// How many events a thread takes at once.
const VERIFY_BATCH: usize = 32;
/// How many events one call saves.
const SAVE_BATCH: usize = 4096;

/// How many events access control is asked about side by side.
const CHECKED_AT_ONCE: usize = 64;

/// An event and who is to be told.
pub(crate) struct Submission {
    pub(crate) event: Event,
    pub(crate) from: Arc<Outbox>,
    /// Where it came from.
    pub(crate) address: IpAddr,
    /// What it takes of the memory for all of them, once it is let in.
    room: Option<OwnedSemaphorePermit>,
}

impl Submission {
    pub(crate) fn new(event: Event, from: Arc<Outbox>, address: IpAddr) -> Self {
        Self { event, from, address, room: None }
    }
}

/// The entrance.
#[derive(Clone)]
pub(crate) struct Ingest {
    queue: Sender<Submission>,
    /// Room for events on their way, in KiB.
    room: Arc<Semaphore>,
    /// How much there is.
    most: u32,
}

/// What the pipeline works with.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) access: Arc<dyn AccessControl>,
    /// Owners and admins.
    pub(crate) operators: HashSet<Pubkey>,
    pub(crate) subscriptions: Arc<Subscriptions>,
    pub(crate) newest: Arc<NewestSerial>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Ingest {
    /// Starts the pipeline, with room for so many bytes of events. It ends, all answered, when the
    /// entrance is closed.
    pub(crate) fn start(
        stage: Stage,
        threads: usize,
        bytes: usize,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (entrance, submitted) = bounded(QUEUE);
        let (verified, waiting) = bounded(QUEUE);
        for _ in 0..threads.max(1) {
            let worker = (stage.clone(), submitted.clone(), verified.clone(), Handle::current());
            std::thread::Builder::new()
                .name("verify".into())
                .spawn(move || verify(&worker.0, &worker.1, &worker.2, &worker.3))?;
        }
        let saver = tokio::task::spawn(save(stage, waiting));
        let most = (bytes / KIB).clamp(1, Semaphore::MAX_PERMITS);
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let room = Arc::new(Semaphore::new(most as usize));
        Ok((Self { queue: entrance, room, most }, saver))
    }

    /// Hands an event on; waits while too many are under way.
    pub(crate) async fn submit(&self, mut submission: Submission) {
        submission.from.expect_answer();
        let kib = submission.event.as_ref().as_bytes().len() / KIB + 1;
        let kib = u32::try_from(kib).unwrap_or(u32::MAX).min(self.most);
        // Closed, it lets nothing in either.
        submission.room = Arc::clone(&self.room).acquire_many_owned(kib).await.ok();
        if let Err(closed) = self.queue.send(submission).await {
            let Submission { event, from, .. } = closed.0;
            from.answer(event.as_ref().id(), false, "error: relay is shutting down");
        }
    }

    /// Lets nothing more in.
    pub(crate) fn close(&self) {
        self.queue.close();
    }
}

/// A thread that checks signatures.
fn verify(
    stage: &Stage,
    submitted: &Receiver<Submission>,
    verified: &Sender<Submission>,
    runtime: &Handle,
) {
    let mut verifier = Verifier::default();
    while let Ok(first) = submitted.recv_blocking() {
        let mut batch = vec![first];
        while batch.len() < VERIFY_BATCH
            && let Ok(next) = submitted.try_recv()
        {
            batch.push(next);
        }
        let ids: Vec<_> = batch.iter().map(|submission| submission.event.as_ref().id()).collect();
        // A store that cannot say is asked again when saving.
        let known = runtime.block_on(stage.store.contains(&ids)).unwrap_or_default();
        for (at, submission) in batch.into_iter().enumerate() {
            if known.get(at) == Some(&true) {
                answer(stage, &submission, Ok(SaveOutcome::Duplicate));
            } else if let Err(forged) = verifier.verify(submission.event.as_ref()) {
                let rejection = Rejection::new(Prefix::Invalid, forged.to_string());
                refuse(stage, &submission, &rejection);
            } else if verified.send_blocking(submission).is_err() {
                return;
            }
        }
    }
}

/// The task that saves what was verified.
async fn save(stage: Stage, waiting: Receiver<Submission>) {
    while let Ok(first) = waiting.recv().await {
        let mut batch = vec![first];
        while batch.len() < SAVE_BATCH
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        if stage.access.mode().checks_events() {
            batch = checked(&stage, batch).await;
        }
        let events = batch.iter().map(|submission| submission.event.clone()).collect();
        match stage.store.save(events).await {
            Ok(outcomes) => {
                heed(&stage, &batch, &outcomes).await;
                for (submission, outcome) in batch.iter().zip(outcomes) {
                    answer(&stage, submission, Ok(outcome));
                }
            }
            Err(error) => {
                let rejection = rejection(&error);
                batch.iter().for_each(|submission| answer(&stage, submission, Err(&rejection)));
            }
        }
    }
}

/// Those of a batch that access control lets in; the others are answered.
///
/// Events are looked at only now that their signatures are known to hold: what is counted against an
/// author was said by that author.
async fn checked(stage: &Stage, batch: Vec<Submission>) -> Vec<Submission> {
    let mut admitted = Vec::with_capacity(batch.len());
    let mut batch = batch.into_iter().peekable();
    while batch.peek().is_some() {
        let some: Vec<Submission> = batch.by_ref().take(CHECKED_AT_ONCE).collect();
        let verdicts = join_all(some.iter().map(|submission| check(stage, submission))).await;
        for (submission, verdict) in some.into_iter().zip(verdicts) {
            match verdict {
                Ok(()) => admitted.push(submission),
                Err(rejection) => refuse(stage, &submission, &rejection),
            }
        }
    }
    admitted
}

async fn check(stage: &Stage, submission: &Submission) -> Result<(), Rejection> {
    let event = submission.event.as_ref();
    if event.kind() == Kind::DELETION && stage.operators.contains(&event.pubkey()) {
        return Ok(());
    }
    stage.access.check(event, submission.address).await
}

fn answer(stage: &Stage, submission: &Submission, result: Result<SaveOutcome, &Rejection>) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(rejection) => return refuse(stage, submission, rejection),
    };
    let event: EventRef<'_> = submission.event.as_ref();
    let refusal = match outcome {
        SaveOutcome::Stored(serial) => {
            stage.newest.raise(serial);
            stage.metrics.events_stored.inc();
            return submission.from.answer(event.id(), true, "");
        }
        SaveOutcome::Ephemeral => {
            deliver(&stage.subscriptions, &stage.metrics, None, event);
            return submission.from.answer(event.id(), true, "");
        }
        SaveOutcome::Duplicate => {
            return submission.from.answer(event.id(), true, "duplicate: already have this event");
        }
        SaveOutcome::Superseded => {
            return submission.from.answer(
                event.id(),
                true,
                "duplicate: a newer version is stored",
            );
        }
        SaveOutcome::Deleted => Rejection::new(Prefix::Blocked, "this event was deleted"),
        SaveOutcome::Vanished => {
            Rejection::new(Prefix::Blocked, "its author asked this relay to forget them")
        }
        SaveOutcome::Expired => Rejection::new(Prefix::Invalid, "this event has expired"),
        SaveOutcome::Refused(rule) => Rejection::new(Prefix::Blocked, rule),
    };
    refuse(stage, submission, &refusal);
}

fn refuse(stage: &Stage, submission: &Submission, rejection: &Rejection) {
    stage.metrics.refused(rejection.prefix);
    submission.from.answer(submission.event.as_ref().id(), false, &rejection.to_string());
}

/// What a client is told when the store fails; the details go to the log.
pub(crate) fn rejection(error: &StoreError) -> Rejection {
    match error {
        StoreError::ReadOnly(_) => {
            Rejection::new(Prefix::Error, "this relay cannot store events at the moment")
        }
        StoreError::Unavailable(_) => {
            Rejection::new(Prefix::Error, "the event store is away, try again shortly")
        }
        StoreError::Invalid(reason) => Rejection::new(Prefix::Invalid, reason.clone()),
        StoreError::Internal(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "event store");
            Rejection::new(Prefix::Error, "internal")
        }
    }
}
