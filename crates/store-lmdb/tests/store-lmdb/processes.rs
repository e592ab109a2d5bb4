//! Several processes on one database.

use event::{Event, EventId};
use store::conformance::{ALICE, BOB, event, note};
use store::{EventStore, Serial};
use store_lmdb::{Access, Options};

use crate::child;
use crate::lmdb::{assert_sound, large_notes, open, scratch, subject, try_open};

/// How many events each writer saves.
const EACH: u64 = 150;

#[tokio::test]
async fn a_watcher_sees_what_both_store_in_order() {
    let dir = scratch();
    let (store, subject) = subject(open(dir.path()));
    let mut watch = store.watch(Serial::default());
    let child = child::start("processes::child_saves", dir.path());
    let mut expected: Vec<EventId> =
        child_events().iter().map(|event| event.as_ref().id()).collect();
    for at in 0..EACH {
        let note = note(&ALICE, at, "");
        subject.accepts(&[&note]).await;
        expected.push(note.as_ref().id());
    }
    let seen = subject.next(watch.as_mut(), expected.len()).await;
    assert!(seen.is_sorted_by(|a, b| a.0 < b.0), "{seen:?}");
    let mut seen: Vec<EventId> = seen.into_iter().map(|(_, id)| id).collect();
    seen.sort_unstable();
    expected.sort_unstable();
    assert_eq!(seen, expected);
    child.finish();
    assert_sound(&store);
}

#[tokio::test]
async fn a_reader_in_another_process_sees_what_is_stored() {
    let dir = scratch();
    let (_, subject) = subject(open(dir.path()));
    let mut child = child::start("processes::child_watches", dir.path());
    child.next("ready").unwrap();
    for at in 0..5 {
        let note = note(&ALICE, at, "");
        subject.accepts(&[&note]).await;
        assert_eq!(child.next("seen"), Some(note.as_ref().id().to_string()));
    }
}

#[tokio::test]
async fn a_map_that_another_process_outgrew_is_followed() {
    let dir = scratch();
    let (store, subject) =
        subject(try_open(Options { max_map_mib: 1, ..Options::new(dir.path()) }).unwrap());
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&note]).await;
    child::start("processes::child_saves_much", dir.path()).finish();
    assert_eq!(subject.all(r#"{"limit":1,"until":100,"since":100,"authors":[]}"#).await, []);
    assert_eq!(store.status().await.unwrap().events, 401);
    assert_sound(&store);
}

#[tokio::test]
#[ignore = "started by a_watcher_sees_what_both_store_in_order"]
async fn child_saves() {
    let (_store, subject) = subject(open(&child::path()));
    let events = child_events();
    for batch in events.chunks(4) {
        subject.accepts(&batch.iter().collect::<Vec<_>>()).await;
    }
}

#[tokio::test]
#[ignore = "started by a_reader_in_another_process_sees_what_is_stored"]
async fn child_watches() {
    let read = Options { access: Access::Read, ..Options::new(child::path()) };
    let store = try_open(read).unwrap();
    let mut watch = store.watch(Serial::default());
    eprintln!("ready now");
    loop {
        for (_, event) in watch.next().await.unwrap().iter() {
            eprintln!("seen {}", event.id());
        }
    }
}

#[tokio::test]
#[ignore = "started by a_map_that_another_process_outgrew_is_followed"]
async fn child_saves_much() {
    let options = Options { max_map_mib: 64, ..Options::new(child::path()) };
    let (_store, subject) = subject(try_open(options).unwrap());
    let notes: Vec<Event> = large_notes().skip(1000).take(400).collect();
    subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
}

fn child_events() -> Vec<Event> {
    (0..EACH).map(|at| event(&BOB, 7, at, &[&["t", "x"]], "")).collect()
}
