//! A reconciliation service on a free port, with an event store of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use relay_sync::conformance::{Host, Subject};
use relay_sync::{
    NegentropySessions, PeerSettings, PeerSync, Reconciler, SessionSettings, SyncOptions,
};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;

use crate::negentropy::{NegentropyServer, RemoteReconciler};
use crate::proto::orlysync::negentropy::v1::negentropy_service_client::NegentropyServiceClient;
use crate::{Address, Listener, Readiness, Server};

/// How long something may take to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A service that runs until it is dropped.
pub(super) struct House {
    pub(super) address: Address,
    pub(super) store: Arc<LmdbStore>,
    pub(super) sessions: Arc<NegentropySessions>,
    pub(super) peers: Arc<PeerSync>,
    pub(super) readiness: Readiness,
    shutdown: CancellationToken,
    tasks: Vec<AbortOnDropHandle<()>>,
    dir: TempDir,
}

impl House {
    pub(super) async fn new() -> Self {
        Self::with(SessionSettings::default(), scratch(), &":0".parse().unwrap()).await
    }

    pub(super) async fn with(settings: SessionSettings, dir: TempDir, address: &Address) -> Self {
        let store = Arc::new(LmdbStore::open(Options::new(dir.path()), vec![]).unwrap());
        let sessions = Arc::new(NegentropySessions::new(Arc::clone(&store) as _, settings));
        let peers = Arc::new(PeerSync::new(Arc::clone(&store) as _, peer_settings()));
        peers.restore(vec![]).await.unwrap();
        let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
        readiness.set(true);
        let listener = Listener::bind(address).await.unwrap();
        let address = listener.address().unwrap();
        let service = NegentropyServer::new(
            Arc::clone(&sessions),
            Arc::clone(&peers),
            readiness.clone(),
            shutdown.clone(),
        );
        let server = Server::new(readiness.clone(), shutdown.clone()).with(service.into_service());
        let tasks = vec![
            spawn(async { server.run(listener).await.unwrap() }),
            spawn(Arc::clone(&sessions).run(shutdown.clone())),
            spawn(Arc::clone(&peers).run(shutdown.clone())),
        ];
        Self { address, store, sessions, peers, readiness, shutdown, tasks, dir }
    }

    /// A client of the service.
    pub(super) fn client(&self) -> NegentropyServiceClient<Channel> {
        NegentropyServiceClient::new(self.address.connect())
    }

    /// Ends the service; its event store stays in the directory.
    pub(super) async fn stop(mut self) -> TempDir {
        self.shutdown.cancel();
        for task in std::mem::take(&mut self.tasks) {
            task.await.unwrap();
        }
        let Self { store, sessions, peers, .. } = &self;
        drop((Arc::clone(store), Arc::clone(sessions), Arc::clone(peers)));
        let empty = scratch();
        std::mem::replace(&mut self.dir, empty)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn peer_settings() -> PeerSettings {
    let mut options = SyncOptions { direction: relay_sync::Direction::Both, ..Default::default() };
    options.client.timeout = PATIENCE;
    PeerSettings {
        interval: Duration::from_secs(3600),
        longest_backoff: Duration::from_secs(3600),
        side_by_side: 2,
        options,
    }
}

/// A reconciler that asks the service, once it found that it is ready.
pub(super) async fn remote(address: &Address) -> (Arc<RemoteReconciler>, AbortOnDropHandle<()>) {
    let remote = Arc::new(RemoteReconciler::new(address, PATIENCE));
    let running = spawn(Arc::clone(&remote).run(CancellationToken::new()));
    until(|| remote.is_ready()).await;
    (remote, running)
}

/// Waits for something to become true.
pub(super) async fn until(mut is_there: impl FnMut() -> bool) {
    let waiting = async {
        while !is_there() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it happens in time");
}

pub(super) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(work))
}

/// A directory that is gone when the test is; in memory if the system offers that.
pub(super) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

/// Makes reconcilers that ask a service.
pub(super) struct OverGrpc;

#[async_trait::async_trait]
impl Host for OverGrpc {
    async fn fresh(&self, settings: SessionSettings) -> Subject {
        let house = House::with(settings, scratch(), &":0".parse().unwrap()).await;
        let (reconciler, running) = remote(&house.address).await;
        Subject {
            reconciler,
            sessions: Arc::clone(&house.sessions),
            store: Arc::clone(&house.store) as _,
            markers: Arc::clone(&house.store) as _,
            keep: Box::new((house, running)),
        }
    }
}
