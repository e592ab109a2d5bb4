//! Publishing what the peer lacks, with a window counted by OKs.

use event::{EventId, EventRef, Filter};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use relay_client::{ClientError, Verdict};
use store::{EventBatch, Query, Rows};
use tokio::sync::{mpsc, oneshot};

use super::{Sync, SyncFailure, SyncProgress};

/// Events that are read from the store at once.
const BATCH: usize = 100;
/// Events that may wait for their OK at first: what every relay takes.
const FIRST_WINDOW: u64 = 100;
/// Events that may wait for their OK once the peer has taken many: it writes them to disk together.
const LAST_WINDOW: u64 = 1000;
/// Ids that wait until all is fetched.
const MAX_WAITING: usize = 500_000;
/// Refused ids that are looked at again in the end.
const MAX_REFUSED: usize = 10_000;

type Answers<'a> = FuturesUnordered<BoxFuture<'a, (EventId, Result<Verdict, ClientError>)>>;

impl Sync<'_, '_> {
    /// Publishes the events whose ids come, until no more do; begins when all is fetched.
    ///
    /// What is fetched may replace or delete what was to be published, and what is published would do so
    /// to what is still to be fetched.
    pub(super) async fn publish(
        &self,
        mut haves: mpsc::Receiver<EventId>,
        fetched: oneshot::Receiver<()>,
    ) -> Result<(), SyncFailure> {
        let mut answers = Answers::new();
        let waiting = gather(&mut haves, fetched).await;
        for ids in waiting.chunks(BATCH) {
            self.publish_batch(ids.to_vec(), &mut answers).await?;
        }
        let mut ids = Vec::new();
        while haves.recv_many(&mut ids, BATCH).await > 0 {
            self.publish_batch(std::mem::take(&mut ids), &mut answers).await?;
        }
        while let Some(answer) = answers.next().await {
            self.count_answer(answer)?;
        }
        Ok(())
    }

    async fn publish_batch(
        &self,
        mut ids: Vec<EventId>,
        answers: &mut Answers<'_>,
    ) -> Result<(), SyncFailure> {
        ids.sort_unstable();
        let filter = Filter { ids: Some(ids), ..Filter::default() };
        let query = Query { filters: vec![filter], viewer: self.options.viewer() };
        let mut rows = self.store.query(query);
        while let Some(batch) = next_rows(rows.as_mut()).await? {
            for (_, event) in batch.iter() {
                self.publish_one(event, answers).await?;
            }
        }
        Ok(())
    }

    async fn publish_one(
        &self,
        event: EventRef<'_>,
        answers: &mut Answers<'_>,
    ) -> Result<(), SyncFailure> {
        if self.is_protected(event) {
            self.tally.count(|report| report.withheld += 1);
            return Ok(());
        }
        while answers.len() as u64 >= self.window()
            && let Some(answer) = answers.next().await
        {
            self.count_answer(answer)?;
        }
        let id = event.id();
        let verdict = self.connection.publish(event).await?;
        self.tally.count(|report| report.sent += 1);
        answers.push(Box::pin(async move { (id, verdict.await) }));
        Ok(())
    }

    /// How many events may wait for their OK.
    fn window(&self) -> u64 {
        let taken = self.tally.count(|report| report.accepted);
        (FIRST_WINDOW + taken / 10).min(LAST_WINDOW)
    }

    fn count_answer(
        &self,
        (id, answer): (EventId, Result<Verdict, ClientError>),
    ) -> Result<(), SyncFailure> {
        let verdict = answer?;
        let has_it = verdict.accepted || has_it_or_newer(&verdict.reason);
        if !has_it {
            tracing::debug!(target: "negentropy", %id, reason = verdict.reason, "peer refuses an event");
            let mut refused = self.refused.lock();
            if refused.len() < MAX_REFUSED {
                refused.push((id, verdict.reason.clone()));
            }
        }
        self.tally.step(SyncProgress::Sent, |report| {
            if has_it {
                report.accepted += 1;
            } else {
                report.refused.add(&verdict.reason);
            }
        });
        Ok(())
    }

    /// Forgets refusals of events that we do not have any more: what we fetched replaced or deleted them.
    pub(super) async fn forgive(&self) -> Result<(), SyncFailure> {
        let refused = std::mem::take(&mut *self.refused.lock());
        let ids: Vec<EventId> = refused.iter().map(|(id, _)| *id).collect();
        let stored = self.store.contains(&ids).await?;
        let gone = refused.iter().zip(stored).filter(|(_, is_stored)| !is_stored);
        self.tally.count(|report| gone.for_each(|((_, reason), _)| report.refused.remove(reason)));
        Ok(())
    }
}

/// Takes ids in until all is fetched, or there are too many to wait with.
async fn gather(
    haves: &mut mpsc::Receiver<EventId>,
    mut fetched: oneshot::Receiver<()>,
) -> Vec<EventId> {
    let mut waiting = Vec::new();
    while waiting.len() < MAX_WAITING {
        tokio::select! {
            // Nobody sends: it is dropped when all is fetched.
            _ = &mut fetched => break,
            count = haves.recv_many(&mut waiting, BATCH) => if count == 0 {
                drop(fetched.await);
                break;
            },
        }
    }
    waiting
}

async fn next_rows(rows: &mut dyn Rows) -> Result<Option<EventBatch>, SyncFailure> {
    Ok(rows.next().await?)
}

/// Whether a refusal says that nothing has to be moved.
fn has_it_or_newer(reason: &str) -> bool {
    // strfry refuses an older version with "replaced: have newer event".
    ["duplicate", "replaced"].iter().any(|prefix| reason.starts_with(prefix))
}
