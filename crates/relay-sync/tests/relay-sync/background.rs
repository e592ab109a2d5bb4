//! Peers that are kept in step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use event::Timestamp;
use relay_client::PeerUrl;
use relay_sync::{Activity, Direction, PeerSettings, PeerStatus, PeerSync, Request, TriggerError};
use store::conformance::{ALICE, BOB, note};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::house::{House, options};
use crate::scripted::{Peer, Scripted};

const SOON: Duration = Duration::from_millis(10);
const NEVER: Duration = Duration::from_secs(3600);

struct Keeper {
    peers: Arc<PeerSync>,
    shutdown: CancellationToken,
    running: AbortOnDropHandle<()>,
}

impl Keeper {
    fn start(house: &House, interval: Duration, side_by_side: usize) -> Self {
        let settings = PeerSettings {
            interval,
            longest_backoff: interval * 4,
            side_by_side,
            options: options(Direction::Both),
        };
        let peers = Arc::new(PeerSync::new(Arc::clone(&house.store) as _, settings));
        let shutdown = CancellationToken::new();
        let running =
            AbortOnDropHandle::new(tokio::spawn(Arc::clone(&peers).run(shutdown.clone())));
        Self { peers, shutdown, running }
    }

    fn status(&self, url: &PeerUrl) -> PeerStatus {
        self.peers.status().into_iter().find(|status| status.url == *url).unwrap()
    }

    /// Waits until a peer's state is as wanted.
    async fn until(&self, url: &PeerUrl, is_there: impl Fn(&PeerStatus) -> bool) -> PeerStatus {
        eventually(|| Some(self.status(url)).filter(&is_there)).await
    }
}

async fn eventually<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looking).await.expect("it happens in time")
}

#[tokio::test]
async fn what_comes_in_on_either_side_reaches_the_other() {
    let (here, there) = (House::new().await, House::new().await);
    let keeper = Keeper::start(&here, SOON, 1);
    assert!(keeper.peers.add(there.url.clone()).await.unwrap());
    assert!(!keeper.peers.add(there.url.clone()).await.unwrap());
    for at in 1000..1005 {
        here.take(&[&note(&ALICE, at, "x")]).await;
        there.take(&[&note(&BOB, at, "x")]).await;
        let count = u64::from(u32::try_from(at - 999).unwrap()) * 2;
        keeper.until(&there.url, |status| status.events_synced == count).await;
        assert_eq!(here.ids().await, there.ids().await);
    }
    keeper.shutdown.cancel();
    keeper.running.await.unwrap();
}

#[tokio::test]
async fn a_peer_that_fails_is_tried_again_and_its_reason_is_kept_until_it_works() {
    let visits = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&visits);
    let peer = Scripted::start(move |mut peer: Peer| {
        let visit = counted.fetch_add(1, Ordering::Relaxed);
        async move {
            loop {
                if visit < 2 {
                    let sub = peer.hear_of("NEG-OPEN").await;
                    peer.say(format!(r#"["NEG-ERR","{sub}","blocked: not now"]"#)).await;
                } else {
                    peer.answer_open("61").await;
                }
            }
        }
    })
    .await;
    let here = House::new().await;
    let keeper = Keeper::start(&here, SOON, 1);
    keeper.peers.add(peer.url.clone()).await.unwrap();
    let failing = keeper.until(&peer.url, |status| status.consecutive_failures > 0).await;
    assert_eq!(failing.last_error.as_deref(), Some("the relay refuses: blocked: not now"));
    assert_eq!(failing.last_sync, None);
    let working = keeper.until(&peer.url, |status| status.last_sync.is_some()).await;
    assert_eq!((working.last_error, working.consecutive_failures), (None, 0));
    assert!(visits.load(Ordering::Relaxed) >= 3);
}

async fn silent() -> Scripted {
    Scripted::start(|mut peer: Peer| async move {
        peer.hear_of("NEG-OPEN").await;
        peer
    })
    .await
}

#[tokio::test]
async fn a_peer_that_hangs_does_not_hold_up_another() {
    let (here, there, hangs) = (House::new().await, House::new().await, silent().await);
    there.take(&[&note(&ALICE, 1000, "x")]).await;
    let keeper = Keeper::start(&here, NEVER, 2);
    keeper.peers.add(hangs.url.clone()).await.unwrap();
    keeper.peers.add(there.url.clone()).await.unwrap();
    keeper.until(&there.url, |status| status.events_synced == 1).await;
    assert_eq!(keeper.status(&hangs.url).activity, Activity::Syncing);
}

#[tokio::test]
async fn no_more_than_so_many_are_visited_at_once() {
    let (here, there, hangs) = (House::new().await, House::new().await, silent().await);
    let keeper = Keeper::start(&here, NEVER, 1);
    keeper.peers.add(hangs.url.clone()).await.unwrap();
    keeper.until(&hangs.url, |status| status.activity == Activity::Syncing).await;
    keeper.peers.add(there.url.clone()).await.unwrap();
    keeper.peers.sync_now(None);
    assert_eq!(keeper.status(&there.url).activity, Activity::Idle);
    assert!(keeper.peers.remove(&hangs.url).await.unwrap(), "that frees its place");
    keeper.until(&there.url, |status| status.last_sync.is_some()).await;
}

#[tokio::test]
async fn a_peer_can_be_made_due_and_dropped() {
    let (here, there) = (House::new().await, House::new().await);
    let keeper = Keeper::start(&here, NEVER, 1);
    keeper.peers.add(there.url.clone()).await.unwrap();
    keeper
        .until(&there.url, |status| status.last_sync.is_some() && status.activity == Activity::Idle)
        .await;
    there.take(&[&note(&ALICE, 1000, "x")]).await;
    keeper.peers.sync_now(Some(&there.url));
    keeper.until(&there.url, |status| status.events_synced == 1).await;
    assert!(keeper.peers.remove(&there.url).await.unwrap());
    assert!(!keeper.peers.remove(&there.url).await.unwrap());
    assert!(keeper.peers.status().is_empty());
}

#[tokio::test]
async fn what_is_known_of_a_peer_survives_a_restart() {
    use store::Markers;
    let (here, there) = (House::new().await, House::new().await);
    there.take(&[&note(&ALICE, 1000, "x")]).await;
    let keeper = Keeper::start(&here, NEVER, 1);
    keeper.peers.add(there.url.clone()).await.unwrap();
    let before = keeper
        .until(&there.url, |status| status.activity == Activity::Idle && status.events_synced == 1)
        .await;
    let marker = format!("negentropy:peer:{}", there.url);
    tokio::time::timeout(Duration::from_secs(20), async {
        while here.store.marker(&marker).await.unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    keeper.shutdown.cancel();
    keeper.running.await.unwrap();
    let settings = PeerSettings {
        interval: NEVER,
        longest_backoff: NEVER,
        side_by_side: 1,
        options: options(Direction::Both),
    };
    let peers = PeerSync::new(Arc::clone(&here.store) as _, settings);
    peers.add(there.url.clone()).await.unwrap();
    assert_eq!(peers.status(), [before]);
}

#[tokio::test]
async fn peers_taken_in_and_dropped_at_run_time_are_so_after_a_restart() {
    let here = House::new().await;
    let url = |name: &str| format!("wss://{name}.example.com").parse::<PeerUrl>().unwrap();
    let configured = vec![url("a"), url("b")];
    let peers = || {
        let settings = PeerSettings {
            interval: NEVER,
            longest_backoff: NEVER,
            side_by_side: 1,
            options: options(Direction::Both),
        };
        PeerSync::new(Arc::clone(&here.store) as _, settings)
    };
    let urls = |peers: &PeerSync| -> Vec<PeerUrl> {
        peers.status().into_iter().map(|status| status.url).collect()
    };
    let first = peers();
    first.restore(configured.clone()).await.unwrap();
    assert!(first.enlist(url("c")).await.unwrap());
    assert!(!first.enlist(url("c")).await.unwrap());
    assert!(first.dismiss(&url("a")).await.unwrap());
    assert!(!first.dismiss(&url("a")).await.unwrap());
    let second = peers();
    second.restore(configured.clone()).await.unwrap();
    assert_eq!(urls(&second), [url("b"), url("c")]);
    assert!(second.enlist(url("a")).await.unwrap());
    assert!(second.dismiss(&url("c")).await.unwrap());
    let third = peers();
    third.restore(configured).await.unwrap();
    assert_eq!(urls(&third), [url("a"), url("b")]);
}

#[tokio::test]
async fn a_trigger_is_over_when_the_peer_was_synchronised() {
    let (here, there, down) = (House::new().await, House::new().await, House::new().await);
    let keeper = Keeper::start(&here, NEVER, 2);
    keeper.peers.add(there.url.clone()).await.unwrap();
    for at in 1000..1004 {
        there.take(&[&note(&ALICE, at, "x")]).await;
        keeper.peers.trigger(Some(&there.url)).await.unwrap();
        assert_eq!(here.ids().await, there.ids().await);
        assert_eq!(keeper.status(&there.url).activity, Activity::Idle);
    }
    let unknown = keeper.peers.trigger(Some(&down.url)).await;
    assert_eq!(unknown, Err(TriggerError::Unknown));
    keeper.peers.add(down.url.clone()).await.unwrap();
    drop(down);
    keeper.peers.trigger(None).await.unwrap();
    assert_eq!(keeper.peers.status().len(), 2);
}

#[tokio::test]
async fn it_can_be_stopped_and_started_again() {
    let (here, there, hangs) = (House::new().await, House::new().await, silent().await);
    let keeper = Keeper::start(&here, NEVER, 1);
    keeper.peers.add(hangs.url.clone()).await.unwrap();
    keeper.until(&hangs.url, |status| status.activity == Activity::Syncing).await;
    let waiting = {
        let (peers, url) = (Arc::clone(&keeper.peers), hangs.url.clone());
        tokio::spawn(async move { peers.trigger(Some(&url)).await })
    };
    keeper.peers.set_active(false);
    keeper.until(&hangs.url, |status| status.activity == Activity::Idle).await;
    assert_eq!(waiting.await.unwrap(), Err(TriggerError::Stopped));
    assert_eq!(keeper.peers.trigger(None).await, Err(TriggerError::Stopped));
    keeper.peers.remove(&hangs.url).await.unwrap();
    keeper.peers.add(there.url.clone()).await.unwrap();
    there.take(&[&note(&ALICE, 1000, "x")]).await;
    keeper.peers.set_active(true);
    keeper.until(&there.url, |status| status.events_synced == 1).await;
}

#[tokio::test]
async fn what_is_asked_for_beside_is_done_at_once_and_noted_for_peers() {
    let (here, there, other) = (House::new().await, House::new().await, House::new().await);
    let keeper = Keeper::start(&here, NEVER, 1);
    keeper.peers.set_active(false);
    keeper.peers.add(there.url.clone()).await.unwrap();
    there.take(&[&note(&ALICE, 1000, "x"), &note(&ALICE, 2000, "y")]).await;
    here.take(&[&note(&BOB, 1500, "z")]).await;
    let filter = r#"{"until":1600}"#.parse().ok();
    let request = Request {
        filter,
        since: Timestamp::from_secs(900).into(),
        direction: Some(Direction::Down),
    };
    let report = keeper.peers.sync_once(&there.url, request, |_, _| ()).await.unwrap();
    assert_eq!((report.stored, report.sent), (1, 0));
    assert_eq!(keeper.status(&there.url).events_synced, 1);
    let both = keeper.peers.sync_once(&other.url, Request::default(), |_, _| ()).await.unwrap();
    assert_eq!((both.accepted, keeper.peers.status().len()), (2, 1));
}

#[tokio::test]
async fn a_synchronisation_that_nobody_waits_for_any_more_is_over() {
    let (here, hangs) = (House::new().await, silent().await);
    let keeper = Keeper::start(&here, NEVER, 1);
    keeper.peers.set_active(false);
    keeper.peers.add(hangs.url.clone()).await.unwrap();
    let asked = keeper.peers.sync_once(&hangs.url, Request::default(), |_, _| ());
    let waiting = tokio::time::timeout(Duration::from_millis(50), asked);
    assert!(waiting.await.is_err());
    assert_eq!(keeper.status(&hangs.url).activity, Activity::Idle);
}
