//! The service killed and started again under a relay and its clients.

use std::sync::Arc;

use nix::sys::signal::Signal;
use relay_sync::{Direction, PeerSettings, PeerSync, Request, SyncError, SyncOptions, SyncReport};
use store::EventStore;
use store::conformance::{ALICE, note};
use store_lmdb::{LmdbStore, Options};

use crate::house::{House, Relay};

/// A client that fetches what it lacks.
struct Client(Arc<PeerSync>, #[expect(dead_code, reason = "lives as long")] House);

impl Client {
    fn new() -> Self {
        let house = House::new();
        let store = LmdbStore::open(Options::new(house.path("data")), vec![]).unwrap();
        let settings = PeerSettings {
            interval: std::time::Duration::MAX,
            longest_backoff: std::time::Duration::MAX,
            side_by_side: 1,
            options: SyncOptions { direction: Direction::Down, ..SyncOptions::default() },
        };
        Self(Arc::new(PeerSync::new(Arc::new(store), settings)), house)
    }

    async fn fetch(&self, relay: &Relay) -> Result<SyncReport, SyncError> {
        self.0.sync_once(&relay.url, Request::default(), |_, _| ()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_told_and_all_returns_by_itself() {
    let house = House::new();
    let service = house.start();
    let relay = house.relay().await;
    relay.until_ready(true).await;
    let client = Client::new();
    relay.store.save(vec![note(&ALICE, 1000, "")]).await.unwrap();
    assert_eq!(client.fetch(&relay).await.unwrap().stored, 1);
    service.end(Signal::SIGKILL).await;
    let refused = client.fetch(&relay).await.unwrap_err().describe();
    assert!(refused.contains("error: the reconciliation service is away"), "{refused}");
    relay.until_ready(false).await;
    relay.store.save(vec![note(&ALICE, 2000, "")]).await.unwrap();
    let service = house.start();
    relay.until_ready(true).await;
    assert_eq!(client.fetch(&relay).await.unwrap().stored, 1);
    assert_eq!(service.end(Signal::SIGTERM).await.code(), Some(0));
}
