//! Fetching what we lack: asked for in batches, verified, saved.

use event::{Event, EventId};
use store::SaveOutcome;
use tokio::sync::{Mutex, mpsc};

use super::{Sync, SyncFailure, SyncProgress};

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
            let events: Vec<Event> = runs.drain(..).flatten().collect();
            let count = events.len() as u64;
            let outcomes = self.store.save(events).await?;
            self.tally.step(SyncProgress::Fetched(count), |report| {
                for outcome in outcomes {
                    match passed_over(outcome) {
                        None => report.stored += 1,
                        Some(reason) => report.passed_over.add(reason),
                    }
                }
            });
        }
        Ok(())
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
