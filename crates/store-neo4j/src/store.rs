//! The seam, implemented.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{Address, Event, EventId, Timestamp};
use reconcile::SortedVec;
use store::{
    EventStore, GatheredSet, Query, ReconcileError, ReconcileSet, ReconcileStore, Rows,
    SaveOutcome, Serial, StoreError, StoreStatus, Tombstone, Watch,
};
use tokio::time::sleep;

use crate::bolt::{Statement, Value};
use crate::client::Client;
use crate::rows::Neo4jRows;
use crate::shared::{self, Shared};
use crate::watching::Neo4jWatch;
use crate::writer::{Job, Queue};
use crate::{Neo4jError, Options};

/// How often a server that does not answer is asked again.
const AWAY_INTERVAL: Duration = Duration::from_secs(1);
/// How often one that does not let us in: after three times in five seconds it would not even look.
const REFUSED_INTERVAL: Duration = Duration::from_secs(5);
const ERASE: &str = "MATCH (n:Event|NostrUser|Tag|Marker|Tombstone|EventStore) \
    WITH n LIMIT 5000 DETACH DELETE n RETURN count(n)";
const STATUS: &str = "MATCH (e:Event) WITH count(e) AS events \
    MATCH (s:EventStore {name: 'orly'}) RETURN s.serial, events";

/// An event store in a Neo4j database, which other processes may use at the same time.
///
/// It connects when it is first asked something, and again whenever the server was away. A batch of more than 1000
/// events is several transactions: on an error the first of them may be stored, which saving them again shows.
pub struct Neo4jStore {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Queue,
}

impl Neo4jStore {
    /// The store at a server, within a runtime. Requests to vanish (NIP-62) are heeded if they name all relays or one
    /// of `relay_urls`.
    pub fn new(options: Options, relay_urls: Vec<String>) -> Result<Self, Neo4jError> {
        let shared = Arc::new(Shared::new(Client::new(options)?, relay_urls));
        tokio::spawn(shared::follow(Arc::downgrade(&shared)));
        Ok(Self { queue: Queue::start(Arc::clone(&shared)), shared })
    }

    /// Connects, and makes the database ready if it is not.
    pub async fn prepare(&self) -> Result<(), Neo4jError> {
        self.shared.prepared().await.map(drop)
    }

    /// Does so until the server answers and lets us in; the log says what is in the way.
    pub async fn when_ready(&self) -> Result<(), Neo4jError> {
        loop {
            let Err(error) = self.shared.graph().await else { return Ok(()) };
            if !error.may_pass() {
                return Err(error);
            }
            let is_refused = matches!(error, Neo4jError::Credentials { .. });
            sleep(if is_refused { REFUSED_INTERVAL } else { AWAY_INTERVAL }).await;
        }
    }

    /// Removes everything from the database: events, markers, tombstones, users. The store is of no use afterwards.
    pub async fn erase(self) -> Result<(), Neo4jError> {
        loop {
            let answers = self.shared.client.write(vec![Statement::new(ERASE)]).await?;
            let row = answers.first().and_then(|rows| rows.first()).and_then(|row| row.first());
            if row.is_none_or(|count| *count == Value::Int(0)) {
                return Ok(());
            }
        }
    }

    /// Host and port of the server.
    pub fn address(&self) -> String {
        self.shared.client.address()
    }
}

#[async_trait]
impl EventStore for Neo4jStore {
    async fn save(&self, events: Vec<Event>) -> Result<Vec<SaveOutcome>, StoreError> {
        self.queue.submit(|reply| Job::Save { events, reply }).await
    }

    async fn contains(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
        let found = self.serials_by_id(ids).await?;
        Ok(ids.iter().map(|id| found.contains_key(id)).collect())
    }

    fn query(&self, query: Query) -> Box<dyn Rows> {
        Box::new(Neo4jRows::new(Arc::clone(&self.shared), query))
    }

    async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        self.count_matches(query).await
    }

    async fn delete(&self, ids: &[EventId], tombstone: Tombstone) -> Result<u64, StoreError> {
        let ids = ids.to_vec();
        self.queue.submit(|reply| Job::Delete { ids, tombstone, reply }).await
    }

    async fn delete_addresses(
        &self,
        addresses: &[Address],
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let addresses = addresses.to_vec();
        self.queue.submit(|reply| Job::DeleteAddresses { addresses, until, reply }).await
    }

    fn watch(&self, after: Serial) -> Box<dyn Watch> {
        Box::new(Neo4jWatch::new(Arc::clone(&self.shared), after))
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.shared.graph().await?;
        let rows = self.shared.client.rows(&Statement::new(STATUS)).await?;
        let Some([Value::Int(serial), Value::Int(events)]) = rows.first().map(Vec::as_slice) else {
            return Err(Neo4jError::Damaged("the node EventStore").into());
        };
        let number = |number: i64| u64::try_from(number).unwrap_or_default();
        Ok(StoreStatus {
            events: number(*events),
            last_serial: Serial::new(number(*serial)),
            // The server's disk is not ours to measure.
            disk_bytes: 0,
            read_only: None,
        })
    }
}

#[async_trait]
impl ReconcileStore for Neo4jStore {
    async fn reconcile_set(
        &self,
        query: Query,
        max_records: u64,
    ) -> Result<Box<dyn ReconcileSet>, ReconcileError> {
        let [filter] = &query.filters[..] else {
            let reason = "reconciliation takes one filter";
            return Err(StoreError::Invalid(reason.into()).into());
        };
        let items = self.items(filter, &query, max_records).await?;
        let items = items.ok_or(ReconcileError::TooLarge { max: max_records })?;
        Ok(Box::new(GatheredSet(Arc::new(SortedVec::from(items)))))
    }
}
