//! A reconciliation service: asked from the command line, and by the relay for its clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use relay_sync::{
    Direction, NegentropySessions, PeerSettings, PeerSync, SessionSettings, SyncOptions,
};
use rpc::{Listener, NegentropyServer, Readiness, Server};
use serde_json::Value;
use store_lmdb::{LmdbStore, Options};
use tokio_util::sync::CancellationToken;

use crate::house::{House, notes};
use crate::serve::Running;

/// A service over the event store of a house, in this process.
struct Service {
    address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Service {
    fn start(house: &House) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let data = house.path(".local/share/ORLY");
        let listener = runtime.block_on(Listener::bind(&":0".parse().unwrap())).unwrap();
        let address = listener.address().unwrap().to_string();
        let _entered = runtime.enter();
        let store = Arc::new(LmdbStore::open(Options::new(data), vec![]).unwrap());
        let sessions = NegentropySessions::new(Arc::clone(&store) as _, SessionSettings::default());
        let hour = Duration::from_secs(3600);
        let peers = PeerSettings {
            interval: hour,
            longest_backoff: hour,
            side_by_side: 1,
            options: SyncOptions { direction: Direction::Both, ..SyncOptions::default() },
        };
        let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
        readiness.set(true);
        let peers = Arc::new(PeerSync::new(store, peers));
        let server =
            NegentropyServer::new(Arc::new(sessions), peers, readiness.clone(), shutdown.clone());
        let server = Server::new(readiness, shutdown).with(server.into_service());
        runtime.spawn(async { server.run(listener).await.unwrap() });
        Self { address, _runtime: runtime }
    }
}

#[test]
fn a_running_service_is_asked() {
    let (here, there) = (House::new(), House::new());
    let notes = notes(15);
    here.import(&notes[..10]);
    there.import(&notes[5..]);
    let relay = Running::start(&there, &[("ORLY_NEGENTROPY_ENABLED", "true")]);
    let url = format!("ws://{}", relay.addr);
    let service = Service::start(&here);
    // Whoever asks needs no event store.
    let elsewhere = House::new();
    let sync = |more: &[&str]| {
        elsewhere.run(&[&["sync", &url, "--server", &service.address], more].concat())
    };
    let down = sync(&["--verbose"]);
    assert_eq!(down.code, Some(0), "{down:?}");
    assert!(down.out.starts_with("have 5, need 5 · fetched 5 · sent 0 · "), "{down:?}");
    assert!(down.err.contains("round 1: "), "{down:?}");
    assert_eq!((here.ids("{}").len(), there.ids("{}").len()), (15, 10));
    let up = sync(&["--dir", "up", "--json"]);
    let outcome: Value = serde_json::from_str(&up.out).unwrap();
    assert_eq!((&outcome["complete"], &outcome["sent"]), (&true.into(), &5.into()), "{outcome}");
    assert_eq!(there.ids("{}"), here.ids("{}"));
    relay.end(Signal::SIGTERM);
    let failed = sync(&["--json"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let outcome: Value = serde_json::from_str(&failed.out).unwrap();
    assert_eq!(outcome["complete"], false);
    assert!(failed.err.contains("check the URL"), "{failed:?}");
}

#[test]
fn a_service_that_is_not_there_is_named() {
    let answer = House::new().run(&["sync", "ws://127.0.0.1:1", "--server", "127.0.0.1:1"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.err.contains("no reconciliation service answers at 127.0.0.1:1"), "{answer:?}");
    for argument in ["--key=x", "--data-dir=x", "--print-missing", "--private"] {
        let answer = House::new().run(&["sync", "ws://x", "--server", ":1", argument]);
        assert_eq!(answer.code, Some(64), "{answer:?}");
    }
}

#[test]
fn the_relay_s_clients_are_answered_by_the_service() {
    let (here, client) = (House::new(), House::new());
    here.import(&notes(10));
    let service = Service::start(&here);
    let variables = [
        ("ORLY_NEGENTROPY_ENABLED", "true"),
        ("ORLY_SYNC_TYPE", "grpc"),
        ("ORLY_GRPC_SYNC_NEGENTROPY", &service.address),
    ];
    let relay = Running::start(&here, &variables);
    let url = format!("ws://{}", relay.addr);
    let until = Instant::now() + Duration::from_secs(20);
    // The relay finds the service a moment after its own start.
    while !relay.get("/").contains("\"77\"") {
        assert!(Instant::now() < until, "the relay finds the service");
        std::thread::yield_now();
    }
    let answer = client.run(&["sync", &url]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(client.ids("{}"), here.ids("{}"));
    drop(service);
    let refused = client.run(&["sync", &url]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("the reconciliation service is away"), "{refused:?}");
    relay.end(Signal::SIGTERM);
}
