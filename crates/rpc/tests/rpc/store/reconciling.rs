//! Sets that are reconciled in the service.

use std::collections::BTreeSet;
use std::sync::Arc;

use event::{Event, EventId};
use reconcile::{FrameSizeLimit, Item, SortedVec};
use store::{
    EventStore, GatheredSet, Query, ReconcileError, ReconcileSet, ReconcileStore, StoreError,
};

use super::service::{Service, notes};

fn set(events: &[Event]) -> GatheredSet {
    let item = |event: &Event| {
        let event = event.as_ref();
        Item { created_at: event.created_at(), id: event.id() }
    };
    GatheredSet(Arc::new(events.iter().map(item).collect::<SortedVec>()))
}

fn ids(events: &[Event]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.as_ref().id()).collect()
}

fn query(filter: &str) -> Query {
    Query::by_operator(filter.parse().unwrap())
}

/// Both filters ask for the same; the trees know the one, the other has to be gathered.
fn filters() -> [String; 2] {
    let author = notes(0..1)[0].as_ref().pubkey();
    [r#"{"kinds":[1]}"#.into(), format!(r#"{{"authors":["{author}"]}}"#)]
}

#[tokio::test]
async fn the_service_reconciles_as_initiator_through_restarts() {
    let mut service = Service::start().await;
    let store = service.client();
    let ours = notes(0..900);
    let theirs = notes(100..1000);
    store.save(ours.clone()).await.unwrap();
    let peer = set(&theirs);
    let limit = FrameSizeLimit::new(4096).unwrap();
    for filter in filters() {
        let remote = store.reconcile_set(query(&filter), 10_000).await.unwrap();
        assert_eq!(remote.count().await.unwrap(), 900);
        let (mut initiator, mut message) = remote.open(limit, 1000).await.unwrap();
        let (mut have, mut need) = (BTreeSet::new(), BTreeSet::new());
        loop {
            let answer = peer.answer(message, limit).await.unwrap().message;
            service.kill().await;
            service.restart().await;
            let (next, step) = remote.step(initiator, answer).await.unwrap();
            initiator = next;
            have.extend(step.have);
            need.extend(step.need);
            let Some(next) = step.next else { break };
            message = next;
        }
        assert_eq!(have, ids(&ours[..100]));
        assert_eq!(need, ids(&theirs[800..]));
        assert!(initiator.rounds() > 1);
    }
}

#[tokio::test]
async fn the_service_reconciles_as_responder() {
    let service = Service::start().await;
    let store = service.client();
    let ours = notes(0..900);
    let theirs = notes(100..1000);
    store.save(ours.clone()).await.unwrap();
    let peer = set(&theirs);
    for limit in [FrameSizeLimit::NONE, FrameSizeLimit::new(4096).unwrap()] {
        for filter in filters() {
            let remote = store.reconcile_set(query(&filter), 10_000).await.unwrap();
            let (mut initiator, mut message) = peer.open(limit, 1000).await.unwrap();
            let (mut have, mut need) = (BTreeSet::new(), BTreeSet::new());
            loop {
                let answer = remote.answer(message, limit).await.unwrap();
                let (next, step) = peer.step(initiator, answer.message).await.unwrap();
                initiator = next;
                have.extend(step.have);
                need.extend(step.need);
                let Some(next) = step.next else { break };
                message = next;
            }
            assert_eq!(have, ids(&theirs[800..]));
            assert_eq!(need, ids(&ours[..100]));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_said_as_the_store_says_it() {
    let service = Service::start().await;
    let store = service.client();
    store.save(notes(0..10)).await.unwrap();
    let [_, gathered] = filters();
    let too_large = store.reconcile_set(query(&gathered), 9).await.unwrap();
    assert!(matches!(too_large.count().await, Err(ReconcileError::TooLarge { max: 9 })));
    let set = store.reconcile_set(query("{}"), 9).await.unwrap();
    let answer = set.answer(vec![0x61, 0xff], FrameSizeLimit::NONE).await;
    assert!(matches!(&answer, Err(ReconcileError::Protocol(text)) if text.contains("malformed")));
    let key = "k".repeat(501);
    let refused = store::Markers::set_marker(&store, &key, Some(vec![])).await;
    assert!(matches!(&refused, Err(StoreError::Invalid(text)) if text.contains("501 bytes")));
}
