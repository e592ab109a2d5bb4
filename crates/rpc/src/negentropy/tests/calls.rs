//! Sessions and peers as an operator sees and changes them.

use event::Timestamp;
use relay_sync::SessionSettings;
use store::EventStore;
use store::conformance::{ALICE, note};
use tonic::Code;

use super::house::{House, until};
use crate::proto::orlysync::common::v1::{Empty, Filter};
use crate::proto::orlysync::negentropy::v1::{
    AddPeerRequest, CloseSessionRequest, NegCloseRequest, NegMsgRequest, NegOpenRequest,
    PeerSyncStateRequest, RemovePeerRequest, SyncPeerRequest, TriggerSyncRequest,
};

fn open(connection: &str, sub: &str) -> NegOpenRequest {
    NegOpenRequest {
        subscription_id: sub.into(),
        filter: Some(Filter::default()),
        initial_message: vec![0x61, 0, 0, 2, 0].into(),
        connection_id: connection.into(),
    }
}

/// A relay of the same kind as ours, over the service's own store.
async fn relay_over(house: &House) -> (String, tokio_util::task::AbortOnDropHandle<()>) {
    super::syncing::relay(std::sync::Arc::clone(&house.store)).await
}

#[tokio::test]
async fn ready_says_what_the_flag_says() {
    let house = House::new().await;
    let mut client = house.client();
    assert!(client.ready(Empty {}).await.unwrap().into_inner().ready);
    house.readiness.set(false);
    assert!(!client.ready(Empty {}).await.unwrap().into_inner().ready);
}

#[tokio::test]
async fn sessions_are_listed_and_closed_by_name_and_connection() {
    let house = House::new().await;
    let mut client = house.client();
    let before = Timestamp::now().as_secs();
    for (connection, sub) in [("c1", "a"), ("c1", "b"), ("c2", "a"), ("c3", "\"ü\"")] {
        client.handle_neg_open(open(connection, sub)).await.unwrap();
    }
    let message = |sub: &str| NegMsgRequest {
        subscription_id: sub.into(),
        message: vec![0x61].into(),
        connection_id: "c1".into(),
    };
    client.handle_neg_msg(message("b")).await.unwrap();
    client.handle_neg_msg(message("b")).await.unwrap();
    let mut list = client.list_sessions(Empty {}).await.unwrap().into_inner().sessions;
    list.sort_by_key(|each| (each.connection_id.clone(), each.subscription_id.clone()));
    let names: Vec<_> = list
        .iter()
        .map(|each| (&*each.connection_id, &*each.subscription_id, each.round_count))
        .collect();
    assert_eq!(names, [("c1", "a", 0), ("c1", "b", 2), ("c2", "a", 0), ("c3", "\"ü\"", 0)]);
    for each in &list {
        assert!(u64::try_from(each.created_at).unwrap().abs_diff(before) < 20, "{each:?}");
        assert!(each.last_activity >= each.created_at, "{each:?}");
    }
    let close = |sub: &str, connection: &str| CloseSessionRequest {
        subscription_id: sub.into(),
        connection_id: connection.into(),
    };
    client.close_session(close("b", "c1")).await.unwrap();
    client.close_session(close("a", "")).await.unwrap();
    let left = client.list_sessions(Empty {}).await.unwrap().into_inner().sessions;
    assert_eq!(left.len(), 1);
    let request = NegCloseRequest { subscription_id: "\"ü\"".into(), connection_id: "c3".into() };
    client.handle_neg_close(request).await.unwrap();
    assert!(house.sessions.list().is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_field() {
    let house = House::new().await;
    let mut client = house.client();
    let long = "x".repeat(300);
    let cases = [
        (open("", "a"), "invalid: connection_id: expected 1 to 256 bytes"),
        (open(&long, "a"), "invalid: connection_id: expected 1 to 256 bytes"),
        (open("c", ""), "invalid: subscription_id: expected 1 to 64 characters"),
        (open("c", &long), "invalid: subscription_id: expected 1 to 64 characters"),
        (
            NegOpenRequest {
                filter: Some(Filter { kinds: vec![70_000], ..Filter::default() }),
                ..open("c", "a")
            },
            "invalid: filter.kinds: one is more than 65535",
        ),
        (
            NegOpenRequest { initial_message: vec![].into(), ..open("c", "a") },
            "closed: the client has to send the first message",
        ),
    ];
    for (request, error) in cases {
        let answer = client.handle_neg_open(request).await.unwrap().into_inner();
        assert_eq!((&*answer.error, answer.message.len()), (error, 0));
    }
    assert!(house.sessions.list().is_empty());
    let request = SyncPeerRequest { peer_url: "ftp://x".into(), ..SyncPeerRequest::default() };
    let status = client.sync_with_peer(request).await.err().unwrap();
    assert_eq!(status.code(), Code::InvalidArgument);
    let mut request = tonic::Request::new(SyncPeerRequest {
        peer_url: "ws://x".into(),
        ..SyncPeerRequest::default()
    });
    request.metadata_mut().insert("orly-direction", "sideways".parse().unwrap());
    let status = client.sync_with_peer(request).await.err().unwrap();
    assert_eq!(status.message(), "invalid: orly-direction: expected up, down, both or none");
}

#[tokio::test]
async fn the_limit_of_a_set_goes_beside_the_reason() {
    let settings = SessionSettings { max_records: 1, ..SessionSettings::default() };
    let house = House::with(settings, super::house::scratch(), &":0".parse().unwrap()).await;
    house.store.save(vec![note(&ALICE, 1, ""), note(&ALICE, 2, "")]).await.unwrap();
    let authors = vec![ALICE.pubkey().as_bytes().to_vec().into()];
    let filter = Some(Filter { authors, ..Filter::default() });
    let answer = house.client().handle_neg_open(NegOpenRequest { filter, ..open("c", "a") }).await;
    let answer = answer.unwrap();
    assert!(answer.get_ref().error.starts_with("blocked: "), "{answer:?}");
    assert_eq!(answer.metadata().get("orly-max-records").unwrap(), "1");
}

#[tokio::test]
async fn peers_are_added_listed_and_removed_and_a_restart_remembers() {
    let house = House::new().await;
    let mut client = house.client();
    let add = |url: &str| AddPeerRequest { peer_url: url.into() };
    for url in ["wss://a.invalid", "b.invalid/x", "wss://a.invalid/"] {
        client.add_peer(add(url)).await.unwrap();
    }
    let peers = client.get_peers(Empty {}).await.unwrap().into_inner().peers;
    assert_eq!(peers, ["wss://a.invalid", "wss://b.invalid/x"]);
    for url in ["", "ftp://a", "wss://", &format!("wss://{}.example", "a".repeat(2000))] {
        let status = client.add_peer(add(url)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{url}");
        assert!(status.message().contains("ws:// or wss://"), "{status}");
    }
    client.remove_peer(RemovePeerRequest { peer_url: "a.invalid".into() }).await.unwrap();
    let gone = client.remove_peer(RemovePeerRequest { peer_url: "a.invalid".into() }).await;
    assert_eq!(gone.unwrap_err().code(), Code::NotFound);
    drop(client);
    let dir = house.stop().await;
    let house = House::with(SessionSettings::default(), dir, &":0".parse().unwrap()).await;
    let peers = house.client().get_peers(Empty {}).await.unwrap().into_inner().peers;
    assert_eq!(peers, ["wss://b.invalid/x"]);
}

#[tokio::test]
async fn states_are_those_of_the_last_synchronisation() {
    let (house, other) = (House::new().await, House::new().await);
    let mut client = house.client();
    let status = client.get_sync_status(Empty {}).await.unwrap().into_inner();
    assert_eq!((status.active, status.last_sync, status.peer_count), (true, 0, 0));
    let (url, _relay) = relay_over(&other).await;
    other.store.save(vec![note(&ALICE, 1000, "")]).await.unwrap();
    client.add_peer(AddPeerRequest { peer_url: url.clone() }).await.unwrap();
    let trigger = |url: &str| TriggerSyncRequest { peer_url: url.into(), filter: None };
    client.trigger_sync(trigger(&url)).await.unwrap();
    let state = |url: &str| PeerSyncStateRequest { peer_url: url.into() };
    let found = client.get_peer_sync_state(state(&url)).await.unwrap().into_inner();
    let seen = found.state.unwrap();
    assert!(found.found && seen.last_sync > 0);
    assert_eq!((&*seen.peer_url, &*seen.status, seen.events_synced), (&*url, "idle", 1));
    let status = client.get_sync_status(Empty {}).await.unwrap().into_inner();
    assert_eq!((status.last_sync, status.peer_states), (seen.last_sync, vec![seen]));
    let unknown = client.get_peer_sync_state(state("wss://x.invalid")).await.unwrap().into_inner();
    assert_eq!((unknown.found, unknown.state), (false, None));
    let status = client.trigger_sync(trigger("wss://x.invalid")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert!(status.message().starts_with("wss://x.invalid is not a peer"), "{status}");
}

#[tokio::test]
async fn a_trigger_says_which_peer_failed_and_all_are_triggered_by_no_name() {
    let (house, other) = (House::new().await, House::new().await);
    let mut client = house.client();
    let (url, _relay) = relay_over(&other).await;
    let down = "ws://127.0.0.1:1".to_owned();
    for peer_url in [url.clone(), down.clone()] {
        client.add_peer(AddPeerRequest { peer_url }).await.unwrap();
    }
    let all = TriggerSyncRequest::default();
    let status = client.trigger_sync(all.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().starts_with(&down), "{status}");
    client.remove_peer(RemovePeerRequest { peer_url: down }).await.unwrap();
    client.trigger_sync(all.clone()).await.unwrap();
    // With a filter of the caller's.
    other.store.save(vec![note(&ALICE, 1000, ""), note(&ALICE, 3000, "")]).await.unwrap();
    let filter = Some(Filter { since: Some(2000), ..Filter::default() });
    client.trigger_sync(TriggerSyncRequest { filter, ..all.clone() }).await.unwrap();
    assert_eq!(house.store.status().await.unwrap().events, 1);
    client.stop(Empty {}).await.unwrap();
    until(|| !house.peers.is_active()).await;
    let status = client.trigger_sync(all.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let active = client.get_sync_status(Empty {}).await.unwrap().into_inner().active;
    assert!(!active);
    client.start(Empty {}).await.unwrap();
    client.trigger_sync(all).await.unwrap();
    assert_eq!(house.store.status().await.unwrap().events, 2);
}
