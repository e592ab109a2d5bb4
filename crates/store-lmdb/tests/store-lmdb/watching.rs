//! Watchers that the ring of new batches does not help.

use event::{Event, EventId};
use store::conformance::{ALICE, note};
use store::{EventStore, Serial, StoreError};

use crate::lmdb::{open, scratch, subject};

#[tokio::test]
async fn a_watcher_that_lags_behind_catches_up_from_disk() {
    let dir = scratch();
    let (store, subject) = subject(open(dir.path()));
    let mut watch = store.watch(Serial::default());
    let notes: Vec<Event> = (0..1500).map(|at| note(&ALICE, at, "")).collect();
    subject.accepts(&[&notes[0]]).await;
    assert_eq!(subject.next(watch.as_mut(), 1).await.len(), 1);
    // More batches than the ring holds.
    for note in &notes[1..] {
        subject.accepts(&[note]).await;
    }
    let seen = subject.next(watch.as_mut(), 1499).await;
    assert!(seen.is_sorted_by(|a, b| a.0 < b.0));
    let seen: Vec<EventId> = seen.into_iter().map(|(_, id)| id).collect();
    assert_eq!(seen, notes[1..].iter().map(|note| note.as_ref().id()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_watcher_learns_that_the_store_is_closed() {
    let dir = scratch();
    let store = open(dir.path());
    let mut watch = store.watch(Serial::default());
    store.save(vec![note(&ALICE, 100, "")]).await.unwrap();
    drop(store);
    assert_eq!(watch.next().await.unwrap().len(), 1);
    assert!(matches!(watch.next().await, Err(StoreError::Unavailable(_))));
}
