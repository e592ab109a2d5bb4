//! A database that reached the size it may have.

use event::{Event, EventId};
use store::conformance::{ALICE, BOB, Subject, event, note};
use store::{EventStore, SaveOutcome, StoreError, Tombstone};
use store_lmdb::{LmdbStore, Options};

use crate::lmdb::{assert_sound, large_notes, scratch, subject, try_open};

#[tokio::test]
async fn says_so_keeps_all_and_goes_on_when_events_are_removed() {
    let dir = scratch();
    let (store, subject) = subject(small(dir.path()));
    for _ in 0..4 {
        let (kept, refused, error) = fill(&subject).await;
        let StoreError::ReadOnly(reason) = error else { panic!("{error:?}") };
        let text = "event store is full: it may grow to 2097152 bytes (ORLY_DB_MAP_SIZE_MB), or free space by deleting";
        assert_eq!(reason, text);
        assert_eq!(store.status().await.unwrap().read_only.as_deref(), Some(text));

        let (ids, parts) = (ids(&kept), ids(&refused));
        assert!(store.contains(&ids).await.unwrap().into_iter().all(|is_stored| is_stored));
        assert!(store.contains(&parts).await.unwrap().into_iter().all(|is_stored| !is_stored));
        assert_eq!(subject.all(r#"{"limit":5}"#).await.len(), 5);
        assert_sound(&store);

        assert_eq!(store.delete(&ids[..10], Tombstone::Forget).await.unwrap(), 10);
        let rest = ids.len() as u64 - 10;
        assert_eq!(store.delete(&ids[10..], Tombstone::Forget).await.unwrap(), rest);
        assert_eq!(store.status().await.unwrap().read_only, None);
        subject.save(&refused.iter().collect::<Vec<_>>()).await.unwrap();
        assert_sound(&store);
        store.delete(&parts, Tombstone::Forget).await.unwrap();
    }
    let size = std::fs::metadata(dir.path().join("data.mdb")).unwrap().len();
    assert!(size < 3 << 20, "{size} bytes");
}

#[tokio::test]
async fn removals_are_not_refused_with_the_saves_they_wait_with() {
    let dir = scratch();
    let (store, subject) = subject(small(dir.path()));
    let (kept, refused, _) = fill(&subject).await;
    let ids = ids(&kept);
    let (saved, removed) =
        tokio::join!(store.save(refused.clone()), store.delete(&ids, Tombstone::Forget));
    assert_eq!(removed.unwrap(), ids.len() as u64);
    if saved.is_err() {
        store.save(refused).await.unwrap();
    }
    assert_sound(&store);
}

#[tokio::test]
async fn expired_events_make_room() {
    let dir = scratch();
    let (store, subject) = subject(small(dir.path()));
    let end = event::Timestamp::now().as_secs() + 4;
    let expiration = end.to_string();
    let fleeting = (0..)
        .map(|at| event(&ALICE, 1, at, &[&["expiration", &expiration]], &"x".repeat(10 << 10)));
    for event in fleeting {
        match subject.save(&[&event]).await {
            Ok(outcomes) => {
                assert!(matches!(outcomes[..], [SaveOutcome::Stored(_)]), "{outcomes:?}")
            }
            Err(_) => break,
        }
    }
    while store.status().await.unwrap().events > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let new: Vec<Event> = large_notes().take(50).collect();
    subject.accepts(&new.iter().collect::<Vec<_>>()).await;
    assert_sound(&store);
}

#[tokio::test]
async fn it_can_be_opened_again_and_emptied() {
    let dir = scratch();
    let ids = {
        let (_, subject) = subject(small(dir.path()));
        ids(&fill(&subject).await.0)
    };
    let (store, subject) = subject(small(dir.path()));
    assert!(store.contains(&ids).await.unwrap().into_iter().all(|is_stored| is_stored));
    store.delete(&ids, Tombstone::Keep).await.unwrap();
    subject.accepts(&[&note(&ALICE, 1, "again")]).await;
    assert_sound(&store);
}

fn small(path: &std::path::Path) -> LmdbStore {
    try_open(Options { max_map_mib: 2, ..Options::new(path) }).unwrap()
}

/// Saves large batches, then small events, until not even one has room: what was saved, the large
/// batch that was not, and why.
async fn fill(subject: &Subject) -> (Vec<Event>, Vec<Event>, StoreError) {
    let mut notes = large_notes();
    let mut kept = Vec::new();
    let (refused, error) = loop {
        let batch: Vec<Event> = notes.by_ref().take(7).collect();
        match subject.save(&batch.iter().collect::<Vec<_>>()).await {
            Ok(_) => kept.extend(batch),
            Err(error) => break (batch, error),
        }
    };
    for at in 0.. {
        let note = note(&BOB, at, "");
        if subject.save(&[&note]).await.is_err() {
            break;
        }
        kept.push(note);
    }
    (kept, refused, error)
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.as_ref().id()).collect()
}
