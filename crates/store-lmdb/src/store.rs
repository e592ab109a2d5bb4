//! The seam, implemented.

use std::ops::Bound;
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use event::{Address, Event, EventId, Timestamp};
use parking_lot::Mutex;
use store::{
    EventStore, Markers, Query, ReconcileError, ReconcileSet, ReconcileStore, Rows, SaveOutcome,
    Serial, StoreError, StoreStatus, Tombstone, Watch,
};
use tokio::sync::oneshot;

use crate::env::{Lmdb, next_serial};
use crate::query::LmdbRows;
use crate::reconcile_set::{self, GatheredSets};
use crate::watch::{Feed, LmdbWatch};
use crate::writer::{Broken, Job, Queue, ReadOnly, Writer, send};
use crate::{Access, CheckReport, Description, LmdbError, Options, backup, check, count};

/// How long the key of a marker may be: LMDB takes up to 511 bytes.
const MARKER_KEY: std::ops::RangeInclusive<usize> = 1..=500;

/// An event store in an LMDB environment.
///
/// Dropping it closes the queue, and waits until what was queued is on disk.
pub struct LmdbStore {
    pub(crate) lmdb: Arc<Lmdb>,
    feed: Arc<Feed>,
    gathered: Arc<GatheredSets>,
    read_only: ReadOnly,
    broken: Broken,
    queue: Option<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl LmdbStore {
    /// Opens the database. Requests to vanish (NIP-62) are heeded if they name all relays or one of
    /// `relay_urls`.
    pub fn open(options: Options, relay_urls: Vec<String>) -> Result<Self, LmdbError> {
        let writes = options.access != Access::Read;
        let lmdb = Arc::new(Lmdb::open(options)?);
        if writes {
            lmdb.clear_stale_readers()?;
        }
        let feed = Arc::new(Feed::new());
        let read_only = Arc::new(Mutex::new((!writes).then(|| "opened for reading".to_owned())));
        let broken = Broken::default();
        let (mut queue, mut writer) = (None, None);
        if writes {
            let (sender, thread) = Writer::new(
                Arc::clone(&lmdb),
                Arc::clone(&feed),
                Arc::clone(&read_only),
                Arc::clone(&broken),
                relay_urls,
            );
            let thread =
                std::thread::Builder::new().name("store-writer".into()).spawn(|| thread.run());
            writer = Some(thread.map_err(heed::Error::Io)?);
            queue = Some(sender);
        }
        Ok(Self { lmdb, feed, gathered: Arc::default(), read_only, broken, queue, writer })
    }

    /// Opens the database with this id for reading, while another process writes to it.
    pub fn open_beside(options: Options, database_id: &[u8]) -> Result<Self, LmdbError> {
        let store = Self::open(Options { access: Access::Read, ..options }, vec![])?;
        if store.describe()?.database_id == database_id {
            Ok(store)
        } else {
            Err(LmdbError::Another(store.lmdb.path().to_owned()))
        }
    }

    /// Compares every index and summary tree with the events.
    pub fn check(&self) -> Result<CheckReport, LmdbError> {
        self.lmdb.read(|txn| check::check(&self.lmdb.tables, txn))
    }

    /// Writes a copy of the database to `file` and waits until it is on disk. Everybody else may read and
    /// write meanwhile; the copy is what was there at its start.
    pub fn backup(&self, file: &mut std::fs::File) -> Result<(), LmdbError> {
        backup::backup(&self.lmdb, file)
    }

    /// Waits until the database breaks, or another process makes it one of a newer version, which only a new process
    /// gets over, and says how.
    pub async fn broken(&self) -> &LmdbError {
        self.broken.wait().await
    }

    /// Describes the database.
    pub fn describe(&self) -> Result<Description, LmdbError> {
        self.lmdb.describe()
    }

    pub(crate) async fn submit<T>(
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
        if let Some(count) = self.lmdb.read(|txn| count::by_trees(&self.lmdb, txn, query))? {
            return Ok(count);
        }
        let (lmdb, query) = (Arc::clone(&self.lmdb), query.clone());
        count::off_runtime(move || lmdb.read(|txn| count::by_looking(&lmdb, txn, &query))).await
    }

    async fn delete(&self, ids: &[EventId], tombstone: Tombstone) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.submit(|reply| Job::Delete { ids, tombstone, reply }).await
    }

    async fn delete_addresses(
        &self,
        addresses: &[Address],
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let addresses = addresses.to_vec();
        self.submit(|reply| Job::DeleteAddresses { addresses, until, reply }).await
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
impl ReconcileStore for LmdbStore {
    async fn reconcile_set(
        &self,
        query: Query,
        max_records: u64,
    ) -> Result<Box<dyn ReconcileSet>, ReconcileError> {
        let is_due = self
            .lmdb
            .read(|txn| count::is_expiry_due(&self.lmdb, txn))
            .map_err(StoreError::from)?;
        if is_due && self.queue.is_some() {
            self.submit(|reply| Job::Sweep { reply }).await?;
        }
        let (lmdb, gathered) = (Arc::clone(&self.lmdb), Arc::clone(&self.gathered));
        let open = move || reconcile_set::open(&lmdb, &gathered, query, max_records);
        tokio::task::spawn_blocking(open).await.map_err(StoreError::internal)?
    }
}

#[async_trait]
impl Markers for LmdbStore {
    async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if !MARKER_KEY.contains(&key.len()) {
            return Ok(None);
        }
        let value = self
            .lmdb
            .read(|txn| Ok(self.lmdb.tables.markers.get(txn, key.as_bytes())?.map(<[u8]>::to_vec)));
        Ok(value?)
    }

    async fn set_marker(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let key = marker_key(key)?;
        self.submit(|reply| Job::SetMarker { key, value, reply }).await
    }

    async fn claim_marker(&self, key: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let key = marker_key(key)?;
        self.submit(|reply| Job::ClaimMarker { key, value, reply }).await
    }

    async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let found = self.lmdb.read(|txn| {
            let mut found = Vec::new();
            // LMDB takes no empty key, and none that no marker can have.
            let start = match prefix.len() {
                0 => Bound::Unbounded,
                len if MARKER_KEY.contains(&len) => Bound::Included(prefix.as_bytes()),
                _ => return Ok(found),
            };
            let from = (start, Bound::Unbounded);
            for entry in self.lmdb.tables.markers.range(txn, &from)? {
                let (key, value) = entry?;
                if !key.starts_with(prefix.as_bytes()) {
                    break;
                }
                found.push((String::from_utf8_lossy(key).into_owned(), value.to_vec()));
            }
            Ok(found)
        });
        Ok(found?)
    }
}

/// `key` as the writer takes it, when LMDB can hold a key of its length.
fn marker_key(key: &str) -> Result<String, StoreError> {
    if MARKER_KEY.contains(&key.len()) {
        return Ok(key.to_owned());
    }
    let len = key.len();
    let (least, most) = MARKER_KEY.into_inner();
    Err(StoreError::Invalid(format!("marker key has {len} bytes, {least} to {most} are allowed")))
}
