//! Saving what was fetched, in large batches: each costs a write to disk.

use std::time::Duration;

use event::{Event, EventId, EventRef};
use store::{SaveOutcome, bulk_bytes};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::policy::is_protected;
use super::{PrivateKinds, Sync, SyncFailure, SyncProgress};

/// A batch is saved, however small it is, when no more came for so long…
const GAP: Duration = Duration::from_millis(250);
/// …and so long after its first event.
const LINGER: Duration = Duration::from_secs(4);

impl Sync<'_, '_> {
    /// Saves the events that come, until no more do; gathers a batch while the one before is written.
    pub(super) async fn save(
        &self,
        mut unsaved: mpsc::Receiver<Vec<Event>>,
    ) -> Result<(), SyncFailure> {
        let mut batch = gather(&mut unsaved, self.batch_bytes().await?).await;
        while !batch.is_empty() {
            let most = self.batch_bytes().await?;
            let (saved, next) = tokio::join!(self.save_batch(batch), gather(&mut unsaved, most));
            saved?;
            batch = next;
        }
        Ok(())
    }

    /// How many bytes of events make a full batch.
    async fn batch_bytes(&self) -> Result<u64, SyncFailure> {
        Ok(bulk_bytes(self.store.status().await?.disk_bytes, self.options.memory))
    }

    async fn save_batch(&self, mut events: Vec<Event>) -> Result<(), SyncFailure> {
        let count = events.len() as u64;
        let mut refused = self.refuse(&mut events);
        let ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
        let outcomes = self.store.save(events).await?;
        let mut stored = 0;
        for (id, outcome) in ids.into_iter().zip(outcomes) {
            match passed_over(outcome) {
                None => stored += 1,
                Some(reason) => refused.push((id, reason.to_owned())),
            }
        }
        if let Some(fruitless) = &self.options.fruitless {
            fruitless.add(refused.iter().map(|(id, _)| *id));
        }
        self.tally.step(SyncProgress::Saved(count), |report| {
            report.stored += stored;
            refused.iter().for_each(|(_, reason)| report.passed_over.add(reason));
        });
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

/// Takes in events until a batch is full or has waited; an empty one once no more come.
async fn gather(unsaved: &mut mpsc::Receiver<Vec<Event>>, most: u64) -> Vec<Event> {
    let mut batch = unsaved.recv().await.unwrap_or_default();
    let mut bytes = byte_len(&batch);
    let latest = Instant::now() + LINGER;
    while bytes < most
        && let Ok(Some(run)) = timeout_at(latest.min(Instant::now() + GAP), unsaved.recv()).await
    {
        bytes += byte_len(&run);
        batch.extend(run);
    }
    batch
}

fn byte_len(events: &[Event]) -> u64 {
    events.iter().map(|event| event.as_ref().as_bytes().len() as u64).sum()
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
        SaveOutcome::Refused(rule) => Some(rule),
    }
}
