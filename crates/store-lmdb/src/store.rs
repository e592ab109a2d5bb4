//! The seam, implemented.

use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use event::{Event, EventId};
use parking_lot::Mutex;
use store::{
    EventStore, Markers, Query, Rows, SaveOutcome, Serial, StoreError, StoreStatus, Tombstone,
    Watch,
};
use tokio::sync::oneshot;

use crate::env::{Lmdb, next_serial};
use crate::query::LmdbRows;
use crate::watch::{Feed, LmdbWatch};
use crate::writer::{Job, Queue, ReadOnly, Writer, send};
use crate::{CheckReport, LmdbError, Options, check, count};

/// An event store in an LMDB environment.
///
/// Dropping it closes the queue, and waits until what was queued is on disk.
pub struct LmdbStore {
    lmdb: Arc<Lmdb>,
    feed: Arc<Feed>,
    read_only: ReadOnly,
    queue: Option<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl LmdbStore {
    /// Opens the database. Requests to vanish (NIP-62) are heeded if they name all relays or `relay_url`.
    pub fn open(options: Options, relay_url: Option<String>) -> Result<Self, LmdbError> {
        let writes = options.access != crate::Access::Read;
        let lmdb = Arc::new(Lmdb::open(options)?);
        if writes {
            lmdb.clear_stale_readers()?;
        }
        let feed = Arc::new(Feed::new());
        let read_only = Arc::new(Mutex::new((!writes).then(|| "opened for reading".to_owned())));
        let (mut queue, mut writer) = (None, None);
        if writes {
            let (sender, thread) = Writer::new(
                Arc::clone(&lmdb),
                Arc::clone(&feed),
                Arc::clone(&read_only),
                relay_url,
            );
            let thread =
                std::thread::Builder::new().name("store-writer".into()).spawn(|| thread.run());
            writer = Some(thread.map_err(heed::Error::Io)?);
            queue = Some(sender);
        }
        Ok(Self { lmdb, feed, read_only, queue, writer })
    }

    /// Compares every index and summary tree with the events.
    pub fn check(&self) -> Result<CheckReport, LmdbError> {
        self.lmdb.read(|txn| check::check(&self.lmdb.tables, txn))
    }

    async fn submit<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, StoreError>>) -> Job,
    ) -> Result<T, StoreError> {
        let Some(queue) = &self.queue else {
            return Err(StoreError::ReadOnly("the event store was opened for reading".into()));
        };
        let (reply, answer) = oneshot::channel();
        send(queue, job(reply)).await?;
        let gone = |_| StoreError::Unavailable("the event store is closed".into());
        answer.await.map_err(gone)?
    }
}

impl Drop for LmdbStore {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            drop(writer.join());
        }
    }
}

#[async_trait]
impl EventStore for LmdbStore {
    async fn save(&self, events: Vec<Event>) -> Result<Vec<SaveOutcome>, StoreError> {
        self.submit(|reply| Job::Save { events, reply }).await
    }

    async fn contains(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
        let found = self.lmdb.read(|txn| {
            ids.iter().map(|id| Ok(self.lmdb.tables.serial_of(txn, id)?.is_some())).collect()
        });
        Ok(found?)
    }

    fn query(&self, query: Query) -> Box<dyn Rows> {
        Box::new(LmdbRows::new(Arc::clone(&self.lmdb), query))
    }

    async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        Ok(self.lmdb.read(|txn| count::count(&self.lmdb, txn, query))?)
    }

    async fn delete(&self, ids: &[EventId], tombstone: Tombstone) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.submit(|reply| Job::Delete { ids, tombstone, reply }).await
    }

    fn watch(&self, after: Serial) -> Box<dyn Watch> {
        Box::new(LmdbWatch::new(Arc::clone(&self.lmdb), &self.feed, after))
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let tables = &self.lmdb.tables;
        let (events, next) =
            self.lmdb.read(|txn| Ok((tables.events.len(txn)?, next_serial(tables, txn)?)))?;
        Ok(StoreStatus {
            events,
            last_serial: Serial::new(next - 1),
            disk_bytes: self.lmdb.disk_bytes()?,
            read_only: self.read_only.lock().clone(),
        })
    }
}

#[async_trait]
impl Markers for LmdbStore {
    async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let value = self
            .lmdb
            .read(|txn| Ok(self.lmdb.tables.markers.get(txn, key.as_bytes())?.map(<[u8]>::to_vec)));
        Ok(value?)
    }

    async fn set_marker(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        if key.is_empty() || key.len() > 500 {
            return Err(StoreError::Invalid(format!(
                "marker key has {} bytes, 1 to 500 are allowed",
                key.len()
            )));
        }
        let key = key.to_owned();
        self.submit(|reply| Job::SetMarker { key, value, reply }).await
    }

    async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let found = self.lmdb.read(|txn| {
            let mut found = Vec::new();
            for entry in self.lmdb.tables.markers.iter(txn)? {
                let (key, value) = entry?;
                if key.starts_with(prefix.as_bytes()) {
                    found.push((String::from_utf8_lossy(key).into_owned(), value.to_vec()));
                }
            }
            Ok(found)
        });
        Ok(found?)
    }
}
