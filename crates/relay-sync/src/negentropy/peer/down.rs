//! Fetching what we lack: asked for in batches, and verified.

use event::{Event, EventId};
use tokio::sync::{Mutex, mpsc};

use super::{Sync, SyncFailure};

/// Ids in a REQ: what every relay takes.
const BATCH: usize = 100;
/// Runs of events that wait to be saved, mostly of some hundred KiB.
const UNSAVED: usize = 32;
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
}
