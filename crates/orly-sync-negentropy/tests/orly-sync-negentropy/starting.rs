//! How the service starts, and what it says when it cannot.

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use rpc::{Listener, Readiness, RemotePeerSync, RemoteSyncError, Server, StoreServer};
use store_lmdb::{LmdbStore, Options};
use tokio_util::sync::CancellationToken;

use crate::house::{House, spawn, until};

#[test]
fn settings_that_make_no_sense_end_with_64_and_are_named() {
    let house = House::new();
    for (variable, value) in [
        ("ORLY_SYNC_NEGENTROPY_DB_TYPE", "neo4j"),
        ("ORLY_SYNC_NEGENTROPY_INTERVAL", "often"),
        ("ORLY_SYNC_NEGENTROPY_PEERS", "ftp://x"),
    ] {
        let output = house.command(&[(variable, value)]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{message}");
        assert!(message.starts_with(&format!("{variable}={value:?}: expected ")), "{message}");
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let house = House::new();
    std::fs::write(house.path("neg.sock"), "x").unwrap();
    let output = house.command(&[]).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("ORLY_SYNC_NEGENTROPY_LISTEN"), "{message}");
    assert!(message.contains("a file that is no socket"), "{message}");
}

#[test]
fn version_and_help_are_on_stdout() {
    let house = House::new();
    for (argument, part) in
        [("--version", "orly-sync-negentropy "), ("--help", "ORLY_SYNC_NEGENTROPY_LISTEN=")]
    {
        let output = house.command(&[]).arg(argument).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8(output.stdout).unwrap().contains(part));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_ready_once_the_event_store_answers() {
    let house = House::new();
    let database = rpc::Address::Unix(house.path("db.sock"));
    let service = house.start_with(&[("ORLY_GRPC_SERVER", &database.to_string())]);
    let client = RemotePeerSync::new(&house.address());
    until(|| house.path("neg.sock").exists()).await;
    let wait = Duration::from_millis(300);
    let not_yet = client.wait_until_ready(wait).await.unwrap_err();
    assert!(matches!(not_yet, RemoteSyncError::NotReady(_)), "{not_yet}");
    let store = Arc::new(LmdbStore::open(Options::new(house.path("db")), vec![]).unwrap());
    let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
    readiness.set(true);
    let listener = Listener::bind(&database).await.unwrap();
    let server = StoreServer::new(store, None, shutdown.clone());
    let server = Server::new(readiness, shutdown.clone()).with(server.into_service());
    let _serving = spawn(async { server.run(listener).await.unwrap() });
    client.wait_until_ready(Duration::from_secs(20)).await.unwrap();
    assert_eq!(service.end(Signal::SIGINT).await.code(), Some(0));
}
