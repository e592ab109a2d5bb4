//! Reconciling: finding out which ids each side lacks.

use event::{EventId, Filter, Timestamp};
use reconcile::Step;
use relay_client::ClientError;
use store::Query;
use tokio::sync::mpsc;

use super::time_range::TimeRange;
use super::{Queues, Sync, SyncFailure, SyncProgress};

/// Messages of the peer that are read in one reconciliation: far more than any set needs at the
/// smallest frame size limit.
const MAX_ROUNDS: u32 = 1_000_000;

impl Sync<'_, '_> {
    /// Reconciles what matches the filter; in parts where a side finds it too large, newest first.
    pub(super) async fn ask(&self, filter: &Filter, queues: Queues) -> Result<(), SyncFailure> {
        let mut ranges = vec![TimeRange::of(filter)];
        while let Some(range) = ranges.pop() {
            let narrowed = range.narrow(filter);
            let failure = match self.reconcile(&narrowed, &queues).await {
                Ok(()) => continue,
                Err(failure) => failure,
            };
            let is_size = matches!(
                failure,
                SyncFailure::Peer(ClientError::TooLarge { .. })
                    | SyncFailure::OwnSetTooLarge { .. }
            );
            let Some((older, newer)) = range.halves(Timestamp::now()).filter(|_| is_size) else {
                return Err(failure);
            };
            tracing::debug!(target: "negentropy", filter = narrowed.to_json(), %failure, "divide the set by time");
            ranges.extend([older, newer]);
        }
        Ok(())
    }

    async fn reconcile(&self, filter: &Filter, queues: &Queues) -> Result<(), SyncFailure> {
        let query = Query { filters: vec![filter.clone()], viewer: self.options.viewer() };
        let set = self.store.reconcile_set(query, self.options.max_records).await?;
        let (mut initiator, first) = set.open(self.options.frame_size_limit, MAX_ROUNDS).await?;
        let opened = match self.connection.negentropy(filter, &first).await {
            Err(ClientError::AuthRequired { .. }) if self.connection.has_keys() => {
                self.connection.authenticate().await?;
                self.connection.negentropy(filter, &first).await
            }
            opened => opened,
        };
        let (mut session, mut message) = opened?;
        self.tally.count(|report| report.sessions += 1);
        loop {
            let bytes = message.len();
            let step;
            (initiator, step) = set.step(initiator, message).await?;
            let Step { have, need, next } = step;
            tracing::debug!(
                target: "negentropy",
                round = initiator.rounds(), bytes, have = have.len(), need = need.len(), "round"
            );
            if !self.learn(have, need, queues).await? {
                return Ok(());
            }
            let Some(next) = next else { return Ok(()) };
            message = session.exchange(&next).await?;
        }
    }

    /// Hands on what a message told; whether it makes sense to go on.
    async fn learn(
        &self,
        mut have: Vec<EventId>,
        mut need: Vec<EventId>,
        queues: &Queues,
    ) -> Result<bool, SyncFailure> {
        self.seen.retain_new(&mut have);
        self.seen.retain_new(&mut need);
        if let Some(fruitless) = &self.options.fruitless {
            fruitless.remove_from(&mut need);
        }
        if !need.is_empty() {
            // Private kinds are not part of our set and may be there all the same.
            let mut stored = self.store.contains(&need).await?.into_iter();
            need.retain(|_| !stored.next().unwrap_or(false));
        }
        self.tally.traffic(self.connection.traffic());
        self.tally.step(SyncProgress::Round { have: &have, need: &need }, |report| {
            report.rounds += 1;
            report.have += have.len() as u64;
            report.need += need.len() as u64;
        });
        Ok(hand_on(have, queues.haves.as_ref()).await && hand_on(need, queues.needs.as_ref()).await)
    }
}

/// Puts ids into a queue, waiting for room; whether anybody takes them out at the other end.
async fn hand_on(ids: Vec<EventId>, queue: Option<&mpsc::Sender<EventId>>) -> bool {
    let Some(queue) = queue else { return true };
    for id in ids {
        if queue.send(id).await.is_err() {
            return false;
        }
    }
    true
}
