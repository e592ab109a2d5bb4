//! A relay on a free port, with a database of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use event::{Event, EventId, Filter};
use relay_client::PeerUrl;
use relay_sync::{
    Direction, NegentropySessions, SessionSettings, SyncError, SyncOptions, SyncReport, sync_with,
};
use store::{EventStore, Query, Rows, Viewer};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A relay that runs until it is dropped.
pub(crate) struct House {
    pub(crate) url: PeerUrl,
    pub(crate) store: Arc<LmdbStore>,
    shutdown: CancellationToken,
    _server: AbortOnDropHandle<()>,
    _dir: TempDir,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| (), SessionSettings::default()).await
    }

    pub(crate) async fn with(
        change: impl FnOnce(&mut relay::Settings),
        sessions: SessionSettings,
    ) -> Self {
        let dir = scratch();
        let store = Arc::new(LmdbStore::open(Options::new(dir.path()), vec![]).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
        let mut settings = relay::Settings {
            verify_threads: 1,
            drain: Duration::ZERO,
            ..relay::Settings::default()
        };
        change(&mut settings);
        let reconciler = NegentropySessions::new(Arc::clone(&store) as _, sessions);
        let parts = relay::Parts {
            reconciler: Some(Arc::new(reconciler)),
            ..relay::Parts::open(Arc::clone(&store))
        };
        let shutdown = CancellationToken::new();
        let serving = relay::serve(listener, None, settings, parts, shutdown.clone());
        let server = AbortOnDropHandle::new(tokio::spawn(async move { serving.await.unwrap() }));
        Self { url, store, shutdown, _server: server, _dir: dir }
    }

    /// Stores events that must all find their place or be known to have none.
    pub(crate) async fn take(&self, events: &[&Event]) {
        self.store.save(events.iter().map(|event| (*event).clone()).collect()).await.unwrap();
    }

    /// The ids of all it has, private kinds too.
    pub(crate) async fn ids(&self) -> Vec<EventId> {
        ids(&*self.store, Viewer::OPERATOR).await
    }

    /// The ids of what it serves to anybody.
    pub(crate) async fn served_ids(&self) -> Vec<EventId> {
        ids(&*self.store, Viewer::of(Vec::new())).await
    }

    /// Synchronises with another relay.
    pub(crate) async fn sync(&self, peer: &PeerUrl, direction: Direction) -> SyncReport {
        self.try_sync(peer, options(direction)).await.unwrap()
    }

    pub(crate) async fn try_sync(
        &self,
        peer: &PeerUrl,
        options: SyncOptions,
    ) -> Result<SyncReport, SyncError> {
        sync_with(peer, &*self.store, &options, |_, _| ()).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Options for tests: nobody has to wait long for a relay that does not answer.
pub(crate) fn options(direction: Direction) -> SyncOptions {
    let mut options = SyncOptions { direction, ..SyncOptions::default() };
    options.client.timeout = Duration::from_secs(20);
    options
}

/// A directory that is gone when the test is; in memory if the system offers that.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

async fn ids(store: &dyn EventStore, viewer: Viewer) -> Vec<EventId> {
    let mut rows = store.query(Query { filters: vec![Filter::default()], viewer });
    let mut ids = Vec::new();
    while let Some(batch) = next(rows.as_mut()).await {
        ids.extend(batch.iter().map(|(_, event)| event.id()));
    }
    ids.sort_unstable();
    ids
}

async fn next(rows: &mut dyn Rows) -> Option<store::EventBatch> {
    rows.next().await.unwrap()
}

/// The ids of events, sorted.
pub(crate) fn ids_of(events: &[&Event]) -> Vec<EventId> {
    let mut ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
    ids.sort_unstable();
    ids
}
