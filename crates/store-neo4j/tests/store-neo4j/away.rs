//! A server that leaves and comes back, seen through a door that can be shut.

use std::sync::Arc;
use std::time::{Duration, Instant};

use store::conformance::{ALICE, note};
use store::{EventStore, Serial, StoreError};
use store_neo4j::{Neo4jError, Neo4jStore, Options};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::server::{Server, is_there};

/// How soon trouble is told.
const SOON: Duration = Duration::from_secs(10);

/// Passes connections on to a server while it is open.
struct Door {
    address: String,
    is_open: watch::Sender<bool>,
    _passing: JoinSet<()>,
}

impl Door {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (is_open, state) = watch::channel(true);
        let mut passing = JoinSet::new();
        passing.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut inside, _) = listener.accept().await.unwrap();
                let (server, mut state) = (server.clone(), state.clone());
                connections.spawn(async move {
                    if !*state.borrow_and_update() {
                        return;
                    }
                    let mut outside = TcpStream::connect(server).await.unwrap();
                    tokio::select! {
                        _ = tokio::io::copy_bidirectional(&mut inside, &mut outside) => {}
                        _ = state.changed() => {}
                    }
                });
            }
        });
        Self { address, is_open, _passing: passing }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_fail_soon_and_go_on_when_it_is_back() {
    if !is_there() {
        return;
    }
    let server = Server::take().await;
    let target = server.options.uri.split_once("://").unwrap().1.to_owned();
    let door = Door::to(target).await;
    let options = Options { uri: format!("bolt://{}", door.address), ..server.options.clone() };
    let store = Arc::new(Neo4jStore::new(options, vec![]).unwrap());
    let (before, after) = (note(&ALICE, 1, "before"), note(&ALICE, 2, "after"));
    store.save(vec![before.clone()]).await.unwrap();
    let mut watch = store.watch(Serial::default());
    assert_eq!(watch.next().await.unwrap().len(), 1);
    let waiting = tokio::spawn(async move { watch.next().await.map(|batch| batch.len()) });
    door.is_open.send_replace(false);
    let asked = Instant::now();
    let id = before.as_ref().id();
    for _ in 0..3 {
        assert!(matches!(store.contains(&[id]).await, Err(StoreError::Unavailable(_))));
        let saved = store.save(vec![after.clone()]).await;
        assert!(matches!(saved, Err(StoreError::Unavailable(_))), "{saved:?}");
    }
    assert!(asked.elapsed() < SOON);
    door.is_open.send_replace(true);
    assert_eq!(store.contains(&[id]).await.unwrap(), [true]);
    store.save(vec![after]).await.unwrap();
    assert_eq!(tokio::time::timeout(SOON * 2, waiting).await.unwrap().unwrap().unwrap(), 1);
}

#[tokio::test]
async fn what_is_in_the_way_is_told_soon() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let asked = Instant::now();
    let store = Neo4jStore::new(Options::new(format!("bolt://{nobody}"), "neo4j", "x"), vec![]);
    let error = store.unwrap().prepare().await.unwrap_err();
    assert!(matches!(error, Neo4jError::Away { .. }), "{error}");
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("bolt://{}", silent.local_addr().unwrap());
    let store = Neo4jStore::new(Options::new(uri, "neo4j", "x"), vec![]).unwrap();
    let error = store.prepare().await.unwrap_err();
    assert!(error.to_string().contains("ORLY_NEO4J_URI"), "{error}");
    assert!(asked.elapsed() < SOON);
    let saved = store.save(vec![note(&ALICE, 1, "")]).await;
    assert!(matches!(saved, Err(StoreError::Unavailable(_))), "{saved:?}");
}

#[tokio::test]
async fn a_wrong_password_is_told_soon() {
    if !is_there() {
        return;
    }
    let server = Server::take().await;
    let options = Options { password: "wrong".into(), ..server.options.clone() };
    let asked = Instant::now();
    let error = Neo4jStore::new(options, vec![]).unwrap().prepare().await.unwrap_err();
    assert!(matches!(error, Neo4jError::Credentials { .. }), "{error}");
    assert!(error.to_string().contains("user \"neo4j\""), "{error}");
    assert!(asked.elapsed() < SOON);
}
