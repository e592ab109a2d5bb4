//! Answers as streams of batches: what a slow client has not taken is not read yet.

use std::pin::Pin;
use std::sync::Arc;

use event::{EventRef, Kind};
use futures_util::{Stream, stream};
use store::{EventBatch, Query, Rows, StoreError};
use tokio::sync::Semaphore;
use tonic::Status;

use super::Database;
use super::failure::OrFail;
use crate::proto::orlydb::v1 as proto;

/// A message of a stream ends when it has this many bytes, whatever the batch size says.
const BATCH_BYTES: usize = 4 << 20;

/// What a call streams.
pub(super) type Answer<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Whether deletion requests are part of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum DeletionRequests {
    Given,
    LeftOut,
}

/// A query under way.
pub(super) struct Reading {
    rows: Box<dyn Rows>,
    queries: Arc<Semaphore>,
}

/// A query under way whose answer is cut into messages.
struct Batches {
    reading: Reading,
    current: EventBatch,
    at: usize,
    size: usize,
    /// How many events may still be given.
    left: u64,
    deletion_requests: DeletionRequests,
}

impl Database {
    /// Begins a query.
    pub(super) fn read(&self, query: Query) -> Reading {
        Reading { rows: self.store.query(query), queries: Arc::clone(&self.queries) }
    }

    /// Answers a query of one filter as a stream.
    pub(super) fn stream(
        &self,
        operation: &'static str,
        mut query: Query,
        deletion_requests: DeletionRequests,
    ) -> Answer<proto::EventBatch> {
        let mut left = u64::MAX;
        if deletion_requests == DeletionRequests::LeftOut {
            // The limit is for what is given, so it is counted behind the choice.
            for filter in &mut query.filters {
                left = filter.limit.take().unwrap_or(u64::MAX);
            }
        }
        let batches = Batches {
            reading: self.read(query),
            current: EventBatch::default(),
            at: 0,
            size: self.options.stream_batch.max(1),
            left,
            deletion_requests,
        };
        Box::pin(stream::unfold(Some(batches), move |batches| async move {
            let mut batches = batches?;
            match batches.next().await.or_fail(operation) {
                Ok(Some(batch)) => Some((Ok(batch), Some(batches))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        }))
    }
}

impl Reading {
    /// The next events, once it is this query's turn.
    pub(super) async fn next(&mut self) -> Result<Option<EventBatch>, StoreError> {
        let _turn = self.queries.acquire().await.map_err(StoreError::internal)?;
        self.rows.next().await
    }
}

impl Batches {
    async fn next(&mut self) -> Result<Option<proto::EventBatch>, StoreError> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        while self.left > 0 {
            match self.current.get(self.at) {
                Some((_, event)) => {
                    self.at += 1;
                    if self.gives(event) {
                        self.left -= 1;
                        bytes += event.as_bytes().len();
                        events.push(event.into());
                    }
                    if events.len() == self.size || bytes >= BATCH_BYTES {
                        break;
                    }
                }
                None => match self.reading.next().await? {
                    Some(batch) => (self.current, self.at) = (batch, 0),
                    None => break,
                },
            }
        }
        Ok(Some(proto::EventBatch { events }).filter(|batch| !batch.events.is_empty()))
    }

    fn gives(&self, event: EventRef<'_>) -> bool {
        self.deletion_requests == DeletionRequests::Given || event.kind() != Kind::DELETION
    }
}
