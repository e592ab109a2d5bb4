//! Several stores on one database, as several processes have them.

use std::sync::Arc;
use std::time::Duration;

use event::Event;
use store::conformance::{ALICE, BOB, event, note};
use store::{EventStore, Markers, SaveOutcome, Serial, identity};
use store_neo4j::Neo4jStore;

use crate::server::{Server, is_there};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_saves_at_once_gets_serials_of_his_own() {
    if !is_there() {
        return;
    }
    let server = Server::take().await;
    let stores = [server.store(), server.store(), server.store()];
    let saving = stores.iter().enumerate().map(|(who, store)| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let mut serials = Vec::new();
            for turn in 0..8u64 {
                let own = note(&ALICE, turn, &who.to_string());
                // All want the same address, and the same event.
                let shared = [event(&BOB, 0, turn, &[], ""), note(&BOB, turn, "same")];
                let outcomes = store.save([vec![own], shared.to_vec()].concat()).await.unwrap();
                serials.extend(outcomes.iter().filter_map(|outcome| match outcome {
                    SaveOutcome::Stored(serial) => Some(*serial),
                    _ => None,
                }));
            }
            serials
        })
    });
    let mut serials: Vec<Serial> = Vec::new();
    for saved in saving.collect::<Vec<_>>() {
        serials.extend(saved.await.unwrap());
    }
    let given = serials.len();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), given, "a serial was given twice");
    let status = stores[0].status().await.unwrap();
    // Three authors' notes, eight notes that all saved, and one profile.
    assert_eq!((status.events, status.last_serial), (24 + 8 + 1, serials[given - 1]));
}

#[tokio::test]
async fn what_one_saves_the_other_is_told() {
    if !is_there() {
        return;
    }
    let server = Server::take().await;
    let (one, other) = (server.store(), server.store());
    let mut watch = other.watch(Serial::default());
    for at in 0..3 {
        let note = note(&ALICE, at, "");
        one.save(vec![note.clone()]).await.unwrap();
        let batch = tokio::time::timeout(PATIENCE, watch.next()).await.unwrap().unwrap();
        let seen: Vec<Event> = batch.iter().map(|(_, event)| event.to_event()).collect();
        assert_eq!(seen, [note]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_at_once_gets_the_same_identity() {
    if !is_there() {
        return;
    }
    let server = Server::take().await;
    let claims = (1..=8u8).map(|byte| {
        let store = server.store();
        tokio::spawn(async move { identity(&*store, [byte; 32]).await.unwrap().to_secret() })
    });
    let mut secrets = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        secrets.push(claim.await.unwrap());
    }
    secrets.dedup();
    assert_eq!(secrets.len(), 1);
}

#[tokio::test]
async fn who_is_hidden_by_one_is_hidden_by_the_other_within_a_moment() {
    if !is_there() {
        return;
    }
    use store::{HiddenAuthors, Query, Viewer};
    let server = Server::take().await;
    let (one, other) = (server.store(), server.store());
    one.save(vec![note(&ALICE, 1, "")]).await.unwrap();
    let query =
        Query { filters: vec![event::Filter::default()], viewer: Viewer::of(vec![BOB.pubkey()]) };
    let count = async |store: &Neo4jStore| store.count(&query).await.unwrap();
    assert_eq!(count(&other).await, 1);
    HiddenAuthors::new([ALICE.pubkey()]).keep(&*one as &dyn Markers).await.unwrap();
    assert_eq!(count(&one).await, 0);
    let unseen = async {
        while count(&other).await != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, unseen).await.unwrap();
}
