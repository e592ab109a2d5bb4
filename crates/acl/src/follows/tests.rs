use std::net::Ipv4Addr;

use event::{Draft, Event, Keys, Timestamp};
use relay_client::Reach;
use store::{EventStore, MemoryStore};

use super::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn keys(seed: u8) -> Keys {
    Keys::from_secret([seed; 32]).unwrap()
}

fn event(author: u8, kind: Kind, at: u64, tags: &[&[&str]]) -> Event {
    let tags = tags.iter().map(|tag| tag.iter().map(ToString::to_string).collect()).collect();
    let created_at = Timestamp::from_secs(at);
    keys(author).sign(&Draft { created_at, kind, tags, content: String::new() })
}

fn follow_list(author: u8, at: u64, followed: &[u8]) -> Event {
    let hex: Vec<String> = followed.iter().map(|seed| keys(*seed).pubkey().to_string()).collect();
    let tags: Vec<[&str; 2]> = hex.iter().map(|hex| ["p", hex]).collect();
    let tags: Vec<&[&str]> = tags.iter().map(|tag| &tag[..]).collect();
    event(author, FOLLOW_LIST, at, &tags)
}

/// Access control with owner 1 and admin 2.
fn follows(store: &Arc<MemoryStore>, settings: FollowsSettings) -> Follows {
    let authorities = Authorities::new(&[keys(1).pubkey()], &[keys(2).pubkey()]);
    Follows::new(Arc::new(authorities), Arc::clone(store) as _, settings)
}

async fn level(follows: &Follows, seed: u8) -> AccessLevel {
    follows.level(Some(keys(seed).pubkey()), HERE).await.unwrap()
}

#[tokio::test]
async fn whom_an_admin_follows_may_write_and_the_newest_list_counts() {
    let store = Arc::new(MemoryStore::new(vec![]));
    store.save(vec![follow_list(2, 10, &[3, 4]), follow_list(9, 10, &[5])]).await.unwrap();
    let follows = follows(&store, FollowsSettings::default());
    assert!(!follows.is_ready());
    follows.refresh().await.unwrap();
    assert!(follows.is_ready());
    let levels = [level(&follows, 1).await, level(&follows, 2).await, level(&follows, 3).await];
    assert_eq!(levels, [AccessLevel::Owner, AccessLevel::Admin, AccessLevel::Write]);
    assert_eq!(level(&follows, 5).await, AccessLevel::Read, "followed by nobody who counts");
    let before = follows.revision();
    let newer = follow_list(2, 11, &[4, 5]);
    store.save(vec![newer.clone()]).await.unwrap();
    follows.on_stored(newer.as_ref()).await;
    assert!(follows.revision() > before);
    assert_eq!(level(&follows, 3).await, AccessLevel::Read);
    assert_eq!(level(&follows, 5).await, AccessLevel::Write);
    follows.follow(keys(6).pubkey());
    assert_eq!(level(&follows, 6).await, AccessLevel::Write);
    assert_eq!(follows.followed().len(), 3);
}

#[tokio::test]
async fn relays_are_those_that_admins_write_to() {
    let store = Arc::new(MemoryStore::new(vec![]));
    let tags: [&[&str]; 5] = [
        &["r", "wss://both.example/"],
        &["r", "wss://write.example", "write"],
        &["r", "wss://read.example", "read"],
        &["r", "not a url"],
        &["x", "wss://no.example"],
    ];
    store.save(vec![event(1, RELAY_LIST, 10, &tags)]).await.unwrap();
    let follows = follows(&store, FollowsSettings::default());
    follows.refresh().await.unwrap();
    let urls: Vec<String> = follows.relays().iter().map(ToString::to_string).collect();
    assert_eq!(urls, ["wss://both.example", "wss://write.example"]);
    assert!(follows.to_ask().iter().all(|(_, reach)| *reach == Reach::Public));
}

#[tokio::test]
async fn others_write_slowly_if_they_may_at_all() {
    let store = Arc::new(MemoryStore::new(vec![]));
    store.save(vec![follow_list(2, 10, &[3])]).await.unwrap();
    let throttle = Some(ThrottleSettings::default());
    let follows = follows(&store, FollowsSettings { throttle, ..FollowsSettings::default() });
    follows.refresh().await.unwrap();
    let delay = async |pubkey| follows.throttle(pubkey, HERE).await.unwrap();
    assert_eq!(follows.level(None, HERE).await, Ok(AccessLevel::Write));
    assert_eq!(delay(Some(keys(3).pubkey())).await, Duration::ZERO);
    assert!(delay(None).await > Duration::ZERO);
    assert!(delay(Some(keys(9).pubkey())).await > Duration::from_millis(25));
}

#[tokio::test]
async fn relays_for_a_start_are_asked_once_at_the_start() {
    let relay = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", relay.local_addr().unwrap()).parse().unwrap();
    let settings = FollowsSettings { bootstrap: vec![url], ..FollowsSettings::default() };
    let follows = follows(&Arc::new(MemoryStore::new(vec![])), settings);
    follows.refresh().await.unwrap();
    let asked = async {
        drop(relay.accept().await.unwrap());
        tokio::time::timeout(Duration::from_millis(300), relay.accept()).await.is_ok()
    };
    tokio::select! {
        () = follows.run(CancellationToken::new()) => panic!("it goes on"),
        asked_again = asked => assert!(!asked_again, "it was asked again"),
    }
}
