//! A store service in this process, which can be killed and started again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::Event;
use relay_sync::SyncStore;
use rpc::{Address, Listener, Readiness, RemoteStore, Server, StoreServer};
use store::conformance::{self, ALICE, Subject, note, relay_urls};
use store::{EventBatch, EventStore, Query, StoreError};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The rules, over a Unix socket.
pub(crate) struct Engine;

#[async_trait]
impl conformance::Engine for Engine {
    async fn fresh(&self) -> Subject {
        let service = Service::start().await;
        Subject::new(Arc::new(service.client()), service)
    }
}

/// A service over a store in a directory of its own.
pub(crate) struct Service {
    dir: TempDir,
    running: Option<Running>,
}

struct Running {
    store: Arc<LmdbStore>,
    task: JoinHandle<()>,
    shutdown: CancellationToken,
}

impl Service {
    /// One that is not there yet.
    pub(crate) fn absent() -> Self {
        Self { dir: TempDir::new().unwrap(), running: None }
    }

    pub(crate) async fn start() -> Self {
        let mut service = Self::absent();
        service.restart().await;
        service
    }

    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.dir.path().join("db.sock"))
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A client, as another process would have it.
    pub(crate) fn client(&self) -> RemoteStore {
        RemoteStore::new(self.address())
    }

    /// Starts it, again if it was killed.
    pub(crate) async fn restart(&mut self) {
        assert!(self.running.is_none());
        let options = Options::new(self.data_dir());
        let store = Arc::new(LmdbStore::open(options, relay_urls()).unwrap());
        let listener = Listener::bind(&self.address()).await.unwrap();
        let shutdown = CancellationToken::new();
        let readiness = Readiness::new();
        readiness.set(true);
        let service = StoreServer::new(Arc::clone(&store) as _, None, shutdown.clone());
        let server = Server::new(readiness, shutdown.clone()).with(service.into_service());
        let task = tokio::spawn(async move { server.run(listener).await.unwrap() });
        self.running = Some(Running { store, task, shutdown });
    }

    /// Ends it without a word to its clients.
    pub(crate) async fn kill(&mut self) {
        let Running { mut store, task, .. } = self.running.take().unwrap();
        task.abort();
        // A database is open once in a process: what still has it must end first.
        let closed = async {
            loop {
                match Arc::try_unwrap(store) {
                    Ok(store) => return tokio::task::spawn_blocking(|| drop(store)).await.unwrap(),
                    Err(shared) => store = shared,
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.unwrap();
    }

    /// Ends it as an operator does.
    pub(crate) async fn stop(&mut self) {
        let running = self.running.as_mut().unwrap();
        running.shutdown.cancel();
        tokio::time::timeout(PATIENCE, &mut running.task).await.unwrap().unwrap();
        self.kill().await;
    }
}

/// Notes that are told apart by their text, oldest first.
pub(crate) fn notes(range: std::ops::Range<u64>) -> Vec<Event> {
    range.map(|at| note(&ALICE, 1000 + at, &format!("note {at}"))).collect()
}

/// All that a store answers to a filter, in order.
pub(crate) async fn all(store: &dyn SyncStore, filter: &str) -> Result<Vec<Event>, StoreError> {
    let mut rows = store.query(Query::by_operator(filter.parse().unwrap()));
    let mut found = Vec::new();
    while let Some(batch) = rows.next().await? {
        found.extend(events(&batch));
    }
    Ok(found)
}

pub(crate) fn events(batch: &EventBatch) -> Vec<Event> {
    batch.iter().map(|(_, event)| event.to_event()).collect()
}

/// Waits until the store answers, and not a second longer than it should.
pub(crate) async fn answers_within_a_second(store: &RemoteStore) {
    let answered = async {
        while store.status().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), answered).await.expect("no answer in a second");
}
