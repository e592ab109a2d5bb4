//! Files that are read beside the service.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rpc::{Listener, Readiness, RemoteStore, Server, SharedFiles, StoreServer};
use store::EventStore;
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::service::{all, answers_within_a_second, notes};

/// Two stores stand for the two ways to one: what came from where is told by what is in them. Within
/// one process LMDB does not open a database twice.
struct Apart {
    service: Arc<LmdbStore>,
    files: Arc<LmdbStore>,
    shared: SharedFiles,
    dir: TempDir,
}

impl Apart {
    async fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let open = |name: &str| {
            Arc::new(LmdbStore::open(Options::new(dir.path().join(name)), vec![]).unwrap())
        };
        let (service, files) = (open("service"), open("files"));
        files.save(notes(0..1)).await.unwrap();
        let directory = dir.path().join("service");
        let database_id = service.describe().unwrap().database_id;
        let shared = SharedFiles { directory, engine: "lmdb".into(), database_id };
        Self { service, files, shared, dir }
    }

    fn address(&self) -> rpc::Address {
        rpc::Address::Unix(self.dir.path().join("db.sock"))
    }

    async fn serve(&self, shared: Option<SharedFiles>) -> CancellationToken {
        let shutdown = CancellationToken::new();
        let server = StoreServer::new(Arc::clone(&self.service) as _, shared, shutdown.clone());
        let listener = Listener::bind(&self.address()).await.unwrap();
        let server = Server::new(Readiness::new(), shutdown.clone()).with(server.into_service());
        tokio::spawn(async move { server.run(listener).await.unwrap() });
        shutdown
    }
}

#[tokio::test]
async fn reading_goes_to_the_files_and_writing_to_the_service() {
    let apart = Apart::new().await;
    let shutdown = apart.serve(Some(apart.shared.clone())).await;
    let (files, expected) = (Arc::clone(&apart.files), apart.shared.clone());
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let store = RemoteStore::new(apart.address()).reading_files(Box::new(move |shared| {
        assert_eq!(*shared, expected);
        count.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::clone(&files) as _)
    }));
    store.connect().await.unwrap();
    assert!(store.reads_files());
    store.save(notes(1..4)).await.unwrap();
    assert_eq!(apart.service.status().await.unwrap().events, 3);
    assert_eq!(store.status().await.unwrap().events, 3);
    assert_eq!(all(&store, "{}").await.unwrap(), notes(0..1));
    // Reading goes on while the service is away, and the files stay open when it returns.
    shutdown.cancel();
    while store.status().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(all(&store, "{}").await.unwrap(), notes(0..1));
    apart.serve(Some(apart.shared.clone())).await;
    answers_within_a_second(&store).await;
    assert_eq!(opened.load(Ordering::Relaxed), 1);
    assert_eq!(all(&store, "{}").await.unwrap(), notes(0..1));
}

#[tokio::test]
async fn all_goes_through_the_service_where_the_files_cannot_be_read() {
    let apart = Apart::new().await;
    let elsewhere =
        SharedFiles { directory: apart.dir.path().join("none"), ..apart.shared.clone() };
    for shared in [None, Some(elsewhere), Some(apart.shared.clone())] {
        let shutdown = apart.serve(shared).await;
        let store = RemoteStore::new(apart.address())
            .reading_files(Box::new(|_| Err("no permission".into())));
        store.connect().await.unwrap();
        assert!(!store.reads_files());
        assert_eq!(all(&store, "{}").await.unwrap(), []);
        shutdown.cancel();
        while store.connect().await.is_ok() && store.status().await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
