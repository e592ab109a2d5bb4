//! Follow lists that other relays hold.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use acl::conformance::{ADMIN, ALICE, BOB, keys, pubkey};
use acl::{AccessControl, AccessLevel, FollowsSettings, LocalAcl, Mode, Settings};
use event::{Draft, Event, Kind, Timestamp};
use store::{EventStore, MemoryStore};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PATIENCE: Duration = Duration::from_secs(15);

fn event(author: u8, kind: u16, at: u64, tags: &[[&str; 2]]) -> Event {
    keys(author).sign(&Draft {
        created_at: Timestamp::from_secs(at),
        kind: Kind::new(kind),
        tags: tags.iter().map(|tag| tag.map(String::from).to_vec()).collect(),
        content: String::new(),
    })
}

fn follow_list(at: u64, followed: u8) -> Event {
    event(ADMIN, 3, at, &[["p", &pubkey(followed).to_string()]])
}

/// A relay that holds events; its address.
async fn relay(events: Vec<Event>) -> (String, DropGuard) {
    let store = Arc::new(MemoryStore::new(vec![]));
    store.save(events).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let shutdown = CancellationToken::new();
    let (parts, stop) = (relay::Parts::open(store), shutdown.clone());
    tokio::spawn(async move {
        let settings = relay::Settings { drain: Duration::ZERO, ..relay::Settings::default() };
        relay::serve(listener, None, settings, parts, stop).await.unwrap();
    });
    (url, shutdown.drop_guard())
}

/// Access control that looks around.
async fn follows(settings: FollowsSettings) -> (Arc<LocalAcl>, Arc<MemoryStore>, DropGuard) {
    let store = Arc::new(MemoryStore::new(vec![]));
    let acl = Arc::new(LocalAcl::new(
        Settings {
            mode: Mode::Follows,
            owners: vec![],
            admins: vec![pubkey(ADMIN)],
            auth_required: false,
            follows: settings,
        },
        Arc::clone(&store) as _,
    ));
    acl.refresh().await.unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&acl).run(stop.clone()));
    (acl, store, stop.drop_guard())
}

async fn comes_to_write(acl: &LocalAcl, who: u8) {
    let wait = async {
        while acl.level(Some(pubkey(who)), HERE).await != Ok(AccessLevel::Write) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the list is fetched");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_fetched_from_relays_for_a_start_and_then_from_those_they_name() {
    let (home, _home) = relay(vec![follow_list(20, BOB)]).await;
    let list = event(ADMIN, 10_002, 10, &[["r", &home]]);
    let (start, _start) = relay(vec![follow_list(10, ALICE), list]).await;
    let settings = FollowsSettings {
        bootstrap: vec!["ws://127.0.0.1:1".parse().unwrap(), start.parse().unwrap()],
        allow_private: true,
        ..FollowsSettings::default()
    };
    let (acl, store, _stop) = follows(settings).await;
    comes_to_write(&acl, BOB).await;
    assert_eq!(acl.level(Some(pubkey(ALICE)), HERE).await, Ok(AccessLevel::Read));
    let newest = follow_list(20, BOB).as_ref().id();
    assert_eq!(store.contains(&[newest]).await.unwrap(), [true], "it is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_wrote_is_not_taken() {
    let forged = event(BOB, 3, 99, &[["p", &pubkey(BOB).to_string()]]);
    let (start, _start) = relay(vec![follow_list(10, ALICE), forged.clone()]).await;
    let bootstrap = vec![start.parse().unwrap()];
    let settings = FollowsSettings { bootstrap, ..FollowsSettings::default() };
    let (acl, store, _stop) = follows(settings).await;
    comes_to_write(&acl, ALICE).await;
    assert_eq!(store.contains(&[forged.as_ref().id()]).await.unwrap(), [false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_list_does_not_lead_into_our_own_house() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let inside = format!("ws://{}", listener.local_addr().unwrap());
    let list = event(ADMIN, 10_002, 10, &[["r", &inside]]);
    let (start, _start) = relay(vec![follow_list(10, ALICE), list]).await;
    let every = Duration::from_millis(50);
    let bootstrap = vec![start.parse().unwrap()];
    let (acl, _, _stop) =
        follows(FollowsSettings { bootstrap, every, ..FollowsSettings::default() }).await;
    comes_to_write(&acl, ALICE).await;
    let knock = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(knock.is_err(), "nobody may be sent here by a relay list");
}
