//! A store in another process.
//!
//! While nobody answers, calls fail at once as unavailable; calls that were under way when the service
//! went wait some seconds for its return. Nothing that was acknowledged is lost: a save whose answer
//! was lost is made again, and what was stored the first time counts as stored.

mod calls;
mod position;
mod rows;
mod save;
mod set;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{Event, EventId, Timestamp};
use store::{
    EventStore, Markers, Query, ReconcileError, ReconcileSet, ReconcileStore, Rows, SaveOutcome,
    Serial, StoreError, StoreStatus, Tombstone, Watch,
};

use super::OpenFiles;
use super::link::Link;
use crate::Address;

pub(super) use position::Position;
use rows::RemoteRows;
pub(super) use rows::{Page, Then};
use set::RemoteSet;
use watch::RemoteWatch;

/// A store behind a service: ours, or the database service of the original.
pub struct RemoteStore {
    link: Arc<Link>,
}

impl RemoteStore {
    /// The store at an address. It connects when it is first asked something.
    pub fn new(address: Address) -> Self {
        Self { link: Arc::new(Link::new(address)) }
    }

    /// Reads the store's files directly where they can be opened. All else goes through the service.
    #[must_use]
    pub fn reading_files(mut self, open: OpenFiles) -> Self {
        if let Some(link) = Arc::get_mut(&mut self.link) {
            link.set_open(open);
        }
        self
    }

    /// Says in the log that nobody answers only after `quiet`, so that services may start in any order.
    #[must_use]
    pub fn quiet_for(mut self, quiet: Duration) -> Self {
        if let Some(link) = Arc::get_mut(&mut self.link) {
            link.set_quiet(quiet);
        }
        self
    }

    /// The address of the service.
    pub fn address(&self) -> &Address {
        self.link.address()
    }

    /// Whether the store's files are read directly.
    pub fn reads_files(&self) -> bool {
        self.link.files().is_some()
    }

    /// Connects, if there is no connection; says why there is none while nobody answers.
    pub async fn connect(&self) -> Result<(), StoreError> {
        self.link.session().await.map(drop)
    }
}

#[async_trait]
impl EventStore for RemoteStore {
    async fn save(&self, events: Vec<Event>) -> Result<Vec<SaveOutcome>, StoreError> {
        save::save(&self.link, events).await
    }

    async fn contains(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
        match self.link.files() {
            Some(files) => files.contains(ids).await,
            None => calls::contains(&self.link, ids).await,
        }
    }

    fn query(&self, query: Query) -> Box<dyn Rows> {
        match self.link.files() {
            Some(files) => files.query(query),
            None => Box::new(RemoteRows::new(Arc::clone(&self.link), query)),
        }
    }

    async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        match self.link.files() {
            Some(files) => files.count(query).await,
            None => calls::count(&self.link, query).await,
        }
    }

    async fn delete(&self, ids: &[EventId], tombstone: Tombstone) -> Result<u64, StoreError> {
        calls::delete(&self.link, ids, tombstone).await
    }

    async fn delete_addresses(
        &self,
        addresses: &[event::Address],
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        calls::delete_addresses(&self.link, addresses, until).await
    }

    fn watch(&self, after: Serial) -> Box<dyn Watch> {
        Box::new(RemoteWatch::new(Arc::clone(&self.link), after))
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        calls::status(&self.link).await
    }
}

#[async_trait]
impl ReconcileStore for RemoteStore {
    async fn reconcile_set(
        &self,
        query: Query,
        max_records: u64,
    ) -> Result<Box<dyn ReconcileSet>, ReconcileError> {
        match self.link.files() {
            Some(files) => files.reconcile_set(query, max_records).await,
            None => RemoteSet::open(Arc::clone(&self.link), query, max_records).await,
        }
    }
}

#[async_trait]
impl Markers for RemoteStore {
    async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        calls::marker(&self.link, key).await
    }

    async fn set_marker(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        calls::set_marker(&self.link, key, value).await
    }

    async fn claim_marker(&self, key: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        calls::claim_marker(&self.link, key, value).await
    }

    async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        calls::markers(&self.link, prefix).await
    }
}
