//! One synchronisation as a stream.

use std::sync::Arc;
use std::time::Duration;

use event::{Event, Filter};
use relay_sync::{Direction, NegentropySessions, SessionSettings};
use store::EventStore;
use store::conformance::{ALICE, BOB, note};
use store_lmdb::LmdbStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::house::{House, spawn, until};
use crate::negentropy::{PeerProgress, RemotePeerSync, RemoteSyncError, SyncStream};
use crate::proto::orlysync::negentropy::v1::SyncPeerRequest;

/// A relay on a free port over a store.
pub(super) async fn relay(store: Arc<LmdbStore>) -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let settings =
        relay::Settings { verify_threads: 1, drain: Duration::ZERO, ..relay::Settings::default() };
    let reconciler = NegentropySessions::new(Arc::clone(&store) as _, SessionSettings::default());
    let parts =
        relay::Parts { reconciler: Some(Arc::new(reconciler)), ..relay::Parts::open(store) };
    let serving = relay::serve(listener, None, settings, parts, CancellationToken::new());
    (url, spawn(async { serving.await.unwrap() }))
}

fn notes(author: &event::Keys, count: u64, start: u64) -> Vec<Event> {
    (start..start + count).map(|at| note(author, at, "x")).collect()
}

async fn steps(mut stream: SyncStream) -> Vec<PeerProgress> {
    let mut steps = Vec::new();
    while let Some(step) = stream.next().await.unwrap() {
        steps.push(step);
    }
    steps
}

#[tokio::test(flavor = "multi_thread")]
async fn each_round_and_batch_is_told_and_then_the_end() {
    let (house, other) = (House::new().await, House::new().await);
    let (url, _relay) = relay(Arc::clone(&other.store)).await;
    house.store.save(notes(&ALICE, 250, 1000)).await.unwrap();
    other.store.save(notes(&BOB, 300, 1000)).await.unwrap();
    let service = RemotePeerSync::new(&house.address);
    service.wait_until_ready(Duration::from_secs(5)).await.unwrap();
    let url = url.parse().unwrap();
    let stream = service.sync(&url, &Filter::default(), Direction::Both).await.unwrap();
    assert!(stream.is_direction_heeded);
    let steps = steps(stream).await;
    let last = steps.last().unwrap().clone();
    let counts = |step: &PeerProgress| [step.have, step.need, step.fetched, step.sent];
    assert_eq!((counts(&last), last.is_complete, last.error), ([250, 300, 300, 250], true, None));
    assert!(steps.iter().rev().skip(1).all(|step| !step.is_complete && step.error.is_none()));
    assert!(steps.is_sorted_by(|a, b| counts(a).iter().zip(counts(b)).all(|(a, b)| *a <= b)));
    assert!(steps.is_sorted_by_key(|step| step.rounds));
    assert!(steps.iter().any(|step| step.rounds > 0 && step.fetched == 0), "{steps:?}");
    assert!(steps.iter().any(|step| (1..250).contains(&step.sent)), "{steps:?}");
    let status = other.store.status().await.unwrap();
    assert_eq!(status.events, 550);
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_since_and_direction_are_heeded() {
    let (house, other) = (House::new().await, House::new().await);
    let (url, _relay) = relay(Arc::clone(&other.store)).await;
    house.store.save(notes(&ALICE, 1, 5000)).await.unwrap();
    other.store.save(notes(&BOB, 10, 1000)).await.unwrap();
    let service = RemotePeerSync::new(&house.address);
    let peer = url.parse().unwrap();
    let filter = r#"{"until":1008}"#.parse().unwrap();
    let all = steps(service.sync(&peer, &filter, Direction::Down).await.unwrap()).await;
    assert_eq!(all.last().map(|last| (last.fetched, last.sent)), Some((9, 0)));
    // As a client of the original asks: no filter, since on its own, no direction.
    let request = SyncPeerRequest { peer_url: url, filter: None, since: 5000 };
    let response = house.client().sync_with_peer(request).await.unwrap();
    assert!(response.metadata().get("orly-direction").is_none());
    let mut steps = response.into_inner();
    let mut last = None;
    while let Some(step) = steps.message().await.unwrap() {
        last = Some(step);
    }
    let last = last.unwrap();
    assert_eq!((last.complete, last.fetched_count, last.sent_count), (true, 0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_the_last_step() {
    let house = House::new().await;
    let service = RemotePeerSync::new(&house.address);
    let peer = "ws://127.0.0.1:1".parse().unwrap();
    let stream = service.sync(&peer, &Filter::default(), Direction::Down).await.unwrap();
    let steps = steps(stream).await;
    let error = steps.last().and_then(|last| last.error.clone()).unwrap();
    assert!(error.contains("check the URL"), "{error}");
    assert!(steps.iter().all(|step| !step.is_complete));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_peer_refuses_is_told_at_the_end() {
    let (house, other) = (House::new().await, House::new().await);
    let (url, _relay) = relay(Arc::clone(&other.store)).await;
    let future = event::Timestamp::now().as_secs() + 100_000;
    house.store.save(notes(&ALICE, 2, future)).await.unwrap();
    let service = RemotePeerSync::new(&house.address);
    let peer = url.parse().unwrap();
    let stream = service.sync(&peer, &Filter::default(), Direction::Up).await.unwrap();
    let last = steps(stream).await.pop().unwrap();
    let error = last.error.unwrap();
    assert!(
        last.is_complete && error.starts_with("not moved: ") && error.contains("created_at"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_reading_ends_it() {
    let house = House::new().await;
    // Takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap()).parse().unwrap();
    house.peers.set_active(false);
    house.peers.enlist(relay_client::PeerUrl::clone(&url)).await.unwrap();
    let service = RemotePeerSync::new(&house.address);
    let activity = || house.peers.peer_status(&url).unwrap().activity;
    let mut stream = service.sync(&url, &Filter::default(), Direction::Down).await.unwrap();
    let reading = tokio::time::timeout(Duration::from_millis(100), stream.next());
    assert!(reading.await.is_err(), "nothing happened yet");
    until(|| activity() == relay_sync::Activity::Syncing).await;
    drop(stream);
    until(|| activity() == relay_sync::Activity::Idle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_service_ends_it() {
    let house = House::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", silent.local_addr().unwrap()).parse().unwrap();
    let service = RemotePeerSync::new(&house.address);
    let stream = service.sync(&url, &Filter::default(), Direction::Down).await.unwrap();
    let reading = tokio::spawn(steps(stream));
    house.stop().await;
    let last = reading.await.unwrap().pop().unwrap();
    assert_eq!((last.is_complete, last.error.as_deref()), (false, Some("the service stops")));
}

#[tokio::test]
async fn what_is_no_service_is_named() {
    let nobody = RemotePeerSync::new(&"127.0.0.1:1".parse().unwrap());
    let error = nobody.wait_until_ready(Duration::from_secs(5)).await.unwrap_err();
    assert!(matches!(error, RemoteSyncError::Unavailable(_)), "{error}");
    let house = House::new().await;
    house.readiness.set(false);
    let service = RemotePeerSync::new(&house.address);
    let error = service.wait_until_ready(Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(error, RemoteSyncError::NotReady(_)), "{error}");
}
