//! Fetching what we lack: asked for in batches, verified, saved.

use event::{Event, EventId, EventRef};
use store::SaveOutcome;
use tokio::sync::{Mutex, mpsc};

use super::policy::is_protected;
use super::{PrivateKinds, Sync, SyncFailure, SyncProgress};

/// Ids in a REQ: what every relay takes.
const BATCH: usize = 100;
/// Runs of events that wait for the store, of some hundred KiB each.
const UNSAVED: usize = 8;
/// How many events the peer may name in vain before it is not believed, beside a tenth of all.
const PATIENCE: u64 = 1000;

impl Sync<'_, '_> {
    /// Fetches and saves the events whose ids come, until no more do.
    pub(super) async fn fetch(&self, needs: mpsc::Receiver<EventId>) -> Result<(), SyncFailure> {
        let (events, unsaved) = mpsc::channel(UNSAVED);
        let (fetched, saved) =
            tokio::join!(self.fetch_side_by_side(needs, events), self.save(unsaved));
        saved.and(fetched)
    }

    /// Four at once keep both sides busy; relays allow at least ten subscriptions.
    async fn fetch_side_by_side(
        &self,
        needs: mpsc::Receiver<EventId>,
        events: mpsc::Sender<Vec<Event>>,
    ) -> Result<(), SyncFailure> {
        let needs = Mutex::new(needs);
        let ask = || self.fetch_batches(&needs, events.clone());
        tokio::try_join!(ask(), ask(), ask(), ask()).map(|_| ())
    }

    async fn fetch_batches(
        &self,
        needs: &Mutex<mpsc::Receiver<EventId>>,
        events: mpsc::Sender<Vec<Event>>,
    ) -> Result<(), SyncFailure> {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            needs.lock().await.recv_many(&mut batch, BATCH).await;
            if batch.is_empty() {
                return Ok(());
            }
            let missing = self.fetch_batch(&batch, &events).await?;
            let is_cut = !missing.is_empty() && missing.len() < batch.len();
            // Relays may give fewer events than they are asked for.
            let missing = if is_cut { self.fetch_batch(&missing, &events).await? } else { missing };
            if let Some(fruitless) = &self.options.fruitless {
                fruitless.add(missing.iter().copied());
            }
            let missing = self.tally.count(|report| {
                report.missing += missing.len() as u64;
                (report.missing > PATIENCE + report.fetched / 10).then_some(report.missing)
            });
            if let Some(missing) = missing {
                return Err(SyncFailure::Withheld { missing });
            }
        }
    }

    /// Asks for events once; returns the ids that did not come.
    async fn fetch_batch(
        &self,
        ids: &[EventId],
        events: &mpsc::Sender<Vec<Event>>,
    ) -> Result<Vec<EventId>, SyncFailure> {
        let mut fetch = self.connection.fetch(ids).await?;
        let mut invalid = 0;
        while let Some(fetched) = fetch.next().await? {
            invalid += fetched.invalid.len();
            self.tally.count(|report| {
                report.fetched += fetched.events.len() as u64;
                fetched.invalid.iter().for_each(|reason| report.invalid.add(reason));
            });
            if !fetched.events.is_empty() && events.send(fetched.events).await.is_err() {
                // The store failed, and says so itself.
                return Ok(Vec::new());
            }
        }
        // What came and was not valid is counted as that.
        Ok(fetch.missing().skip(invalid).collect())
    }

    /// Saves what was fetched: all that waits at once.
    async fn save(&self, mut unsaved: mpsc::Receiver<Vec<Event>>) -> Result<(), SyncFailure> {
        let mut runs = Vec::new();
        while unsaved.recv_many(&mut runs, UNSAVED).await > 0 {
            let mut events: Vec<Event> = runs.drain(..).flatten().collect();
            let count = events.len() as u64;
            let mut refused = self.refuse(&mut events);
            let ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
            let outcomes = self.store.save(events).await?;
            let stored =
                outcomes.iter().filter(|outcome| matches!(outcome, SaveOutcome::Stored(_))).count()
                    as u64;
            let passed_over = ids
                .iter()
                .zip(outcomes)
                .filter_map(|(id, outcome)| Some((*id, passed_over(outcome)?)));
            refused.extend(passed_over.map(|(id, reason)| (id, reason.to_owned())));
            if let Some(fruitless) = &self.options.fruitless {
                fruitless.add(refused.iter().map(|(id, _)| *id));
            }
            self.tally.step(SyncProgress::Fetched(count), |report| {
                report.stored += stored;
                refused.iter().for_each(|(_, reason)| report.passed_over.add(reason));
            });
        }
        Ok(())
    }

    /// Takes out events that are not to be saved; says why.
    fn refuse(&self, events: &mut Vec<Event>) -> Vec<(EventId, String)> {
        let mut refused = Vec::new();
        events.retain(|event| {
            let event = event.as_ref();
            let result = match &self.options.admission {
                _ if self.is_protected(event) => {
                    Err("only its author may publish it (NIP-70)".to_owned())
                }
                Some(admission) => admission.check(event),
                None => Ok(()),
            };
            let Err(reason) = result else { return true };
            refused.push((event.id(), reason));
            false
        });
        refused
    }

    /// Whether it is neither given nor taken.
    pub(super) fn is_protected(&self, event: EventRef<'_>) -> bool {
        self.options.private_kinds == PrivateKinds::Withhold && is_protected(event)
    }
}

/// Why an event found no place; `None` if it did.
fn passed_over(outcome: SaveOutcome) -> Option<&'static str> {
    match outcome {
        SaveOutcome::Stored(_) => None,
        SaveOutcome::Duplicate => Some("already stored"),
        SaveOutcome::Superseded => Some("a newer version is stored"),
        SaveOutcome::Deleted => Some("deleted here"),
        SaveOutcome::Vanished => Some("its author asked to be forgotten here"),
        SaveOutcome::Expired => Some("expired"),
        SaveOutcome::Ephemeral => Some("ephemeral"),
    }
}
