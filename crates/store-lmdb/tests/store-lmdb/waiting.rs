//! More to write than the writer has room to let wait.

use std::sync::Arc;

use event::EventId;
use store::conformance::{ALICE, note};
use store::{EventStore, SaveOutcome};

use crate::lmdb::{open, scratch};

#[tokio::test]
async fn saves_beyond_the_queue_wait_their_turn() {
    let dir = scratch();
    let store = Arc::new(open(dir.path()));
    let notes: Vec<_> = (0..2500).map(|at| note(&ALICE, at, "")).collect();
    let ids: Vec<EventId> = notes.iter().map(|note| note.as_ref().id()).collect();
    let saves = notes.into_iter().map(|note| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.save(vec![note]).await.unwrap() })
    });
    for save in saves.collect::<Vec<_>>() {
        assert!(matches!(save.await.unwrap()[..], [SaveOutcome::Stored(_)]));
    }
    assert!(store.contains(&ids).await.unwrap().into_iter().all(|is_stored| is_stored));
}
