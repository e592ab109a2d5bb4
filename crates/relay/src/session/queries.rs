//! The queries of a session: each in turn sends a chunk.

use std::collections::VecDeque;
use std::time::Instant;

use event::{EventRef, SubscriptionId};
use store::{EventBatch, Rows, Serial, StoreError};

/// About how many bytes are queued before the socket is to take them.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

/// Queries that were not answered to the end.
#[derive(Default)]
pub(super) struct Queries(VecDeque<RunningQuery>);

/// A query and what was read for it but not sent.
pub(super) struct RunningQuery {
    pub(super) sub: SubscriptionId,
    pub(super) started: Instant,
    rows: Box<dyn Rows>,
    batch: EventBatch,
    at: usize,
}

impl Queries {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn push(&mut self, query: RunningQuery) {
        self.0.push_back(query);
    }

    pub(super) fn pop(&mut self) -> Option<RunningQuery> {
        self.0.pop_front()
    }

    pub(super) fn remove(&mut self, sub: &SubscriptionId) {
        self.0.retain(|query| query.sub != *sub);
    }

    pub(super) fn runs(&self, sub: &SubscriptionId) -> bool {
        self.0.iter().any(|query| query.sub == *sub)
    }
}

impl RunningQuery {
    pub(super) fn new(sub: SubscriptionId, rows: Box<dyn Rows>) -> Self {
        Self { sub, started: Instant::now(), rows, batch: EventBatch::default(), at: 0 }
    }

    /// Shows the next events to who says how many bytes it queued for each; `false` when there are no more.
    pub(super) async fn next_chunk(
        &mut self,
        mut show: impl FnMut(Serial, EventRef<'_>) -> usize,
    ) -> Result<bool, StoreError> {
        let mut bytes = 0;
        while bytes < CHUNK_BYTES {
            let Some((serial, event)) = self.batch.get(self.at) else {
                match self.rows.next().await? {
                    Some(batch) => (self.batch, self.at) = (batch, 0),
                    None => return Ok(false),
                }
                continue;
            };
            self.at += 1;
            bytes += show(serial, event);
        }
        Ok(true)
    }
}
