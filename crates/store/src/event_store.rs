//! The seam itself.

use std::sync::Arc;

use async_trait::async_trait;
use event::{Address, Event, EventId, Timestamp};

use crate::{EventBatch, Query, SaveOutcome, Serial, StoreError, Tombstone};

/// A store of events.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Saves events in order and says what became of each. What is `Stored` is on disk.
    ///
    /// Signatures are the caller's business. Deletion requests and requests to vanish take effect
    /// in the same step. On an error nothing of the batch is stored.
    async fn save(&self, events: Vec<Event>) -> Result<Vec<SaveOutcome>, StoreError>;

    /// Says of each id whether its event is stored.
    async fn contains(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError>;

    /// Answers a query in batches.
    fn query(&self, query: Query) -> Box<dyn Rows>;

    /// Counts the events that match and may be seen, whatever the limits say.
    async fn count(&self, query: &Query) -> Result<u64, StoreError>;

    /// Removes events; returns how many were there.
    async fn delete(&self, ids: &[EventId], tombstone: Tombstone) -> Result<u64, StoreError>;

    /// Removes what stands at addresses unless it is newer than `until`; up to then nothing may come
    /// back there. Returns how many events were there.
    async fn delete_addresses(
        &self,
        addresses: &[Address],
        until: Timestamp,
    ) -> Result<u64, StoreError>;

    /// Follows what is stored after `after`, in order of serial, whoever stores it.
    fn watch(&self, after: Serial) -> Box<dyn Watch>;

    /// Says how the store is.
    async fn status(&self) -> Result<StoreStatus, StoreError>;
}

/// The answer to a query, in batches that a slow reader takes one at a time.
#[async_trait]
pub trait Rows: Send {
    /// The next events; `None` when there are no more.
    async fn next(&mut self) -> Result<Option<EventBatch>, StoreError>;
}

/// An endless run of new events.
#[async_trait]
pub trait Watch: Send {
    /// The next events, as soon as there are some.
    async fn next(&mut self) -> Result<Arc<EventBatch>, StoreError>;
}

/// How a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// How many events it holds.
    pub events: u64,
    /// The newest serial given out; 0 if none was.
    pub last_serial: Serial,
    /// How many bytes it takes on disk.
    pub disk_bytes: u64,
    /// Why nothing can be written, if so.
    pub read_only: Option<String>,
}
