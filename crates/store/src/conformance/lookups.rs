//! Events by serial, and what a save would come to.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use event::{Event, EventId, Timestamp};

use super::events::{address, deletion, id};
use super::expiration::soon;
use super::{ALICE, BOB, event, note};
use crate::{EventStore, Preview, SaveOutcome, Serial, SerialStore, Tombstone};

/// Makes stores of an engine that finds events by serial.
#[async_trait]
pub trait SerialEngine: Sync {
    /// An empty store, twice, and what has to live as long.
    async fn fresh(&self) -> (Arc<dyn EventStore>, Arc<dyn SerialStore>, Box<dyn Any + Send>);
}

async fn save(store: &dyn EventStore, events: &[&Event]) -> Vec<Serial> {
    let outcomes = store.save(events.iter().copied().cloned().collect()).await.unwrap();
    let serials = outcomes.into_iter().map(|outcome| match outcome {
        SaveOutcome::Stored(serial) => serial,
        refused => panic!("{refused:?}"),
    });
    serials.collect()
}

fn event_id(event: &Event) -> EventId {
    event.as_ref().id()
}

pub async fn ids_have_the_serial_they_were_stored_with(engine: &dyn SerialEngine) {
    let (store, serials, _keep) = engine.fresh().await;
    let [first, second, absent] = [100, 101, 102].map(|at| note(&ALICE, at, ""));
    let stored = save(&*store, &[&first, &second]).await;
    let ids = [&second, &absent, &first, &second].map(event_id);
    let found = serials.serials_of(&ids).await.unwrap();
    assert_eq!(found, [Some(stored[1]), None, Some(stored[0]), Some(stored[1])]);
    store.delete(&ids[..1], Tombstone::Keep).await.unwrap();
    assert_eq!(serials.serials_of(&ids[..1]).await.unwrap(), [None]);
}

pub async fn serials_have_the_event_they_were_given(engine: &dyn SerialEngine) {
    let (store, serials, _keep) = engine.fresh().await;
    let [first, second] = [101, 100].map(|at| note(&ALICE, at, "x"));
    let stored = save(&*store, &[&first, &second]).await;
    let absent = Serial::new(stored[1].as_u64() + 1000);
    let batch = serials.fetch(&[stored[1], absent, stored[0]]).await.unwrap();
    let found: Vec<_> = batch.iter().map(|(serial, event)| (serial, event.to_event())).collect();
    assert_eq!(found, [(stored[1], second), (stored[0], first)]);
}

pub async fn a_range_of_serials_has_those_in_use_in_order(engine: &dyn SerialEngine) {
    let (store, serials, _keep) = engine.fresh().await;
    let notes: Vec<Event> = (0..5).map(|at| note(&ALICE, 200 - at, "")).collect();
    let stored = save(&*store, &notes.iter().collect::<Vec<_>>()).await;
    store.delete(&[event_id(&notes[2])], Tombstone::Forget).await.unwrap();
    let all = [stored[0], stored[1], stored[3], stored[4]];
    let (first, last) = (Serial::default(), Serial::MAX);
    assert_eq!(serials.serials(first, last, 100).await.unwrap(), all);
    assert_eq!(serials.serials(first, last, 2).await.unwrap(), all[..2]);
    assert_eq!(serials.serials(stored[1], stored[3], 100).await.unwrap(), all[1..3]);
    assert_eq!(serials.serials(stored[2], stored[2], 100).await.unwrap(), []);
    assert_eq!(serials.serials(last, first, 100).await.unwrap(), []);
    assert_eq!(serials.serials(first, last, 0).await.unwrap(), []);
}

pub async fn a_preview_is_what_saving_comes_to(engine: &dyn SerialEngine) {
    let (store, serials, _keep) = engine.fresh().await;
    let (now, old) = (event(&ALICE, 0, 100, &[], "now"), event(&ALICE, 0, 99, &[], "old"));
    let wiki = |at| event(&ALICE, 30_023, at, &[&["d", "a"]], "");
    let gone = note(&ALICE, 50, "gone");
    let (gone_id, wiki_address) = (id(&gone), address(30_023, &ALICE, "a"));
    let request = deletion(&ALICE, 150, &[&["e", &gone_id], &["a", &wiki_address]]);
    let past = event(&ALICE, 1, 100, &[&["expiration", "1000"]], "");
    let vanish = event(&BOB, 62, 500, &[&["relay", "ALL_RELAYS"]], "");
    let history = [
        gone,
        old.clone(),
        now.clone(),
        old,
        now,
        wiki(120),
        request,
        note(&ALICE, 50, "gone"),
        wiki(150),
        wiki(151),
        event(&ALICE, 20_001, 100, &[], ""),
        past,
        vanish,
        note(&BOB, 400, ""),
        note(&BOB, 501, ""),
    ];
    for event in history {
        let preview = serials.preview(&event).await.unwrap();
        let before = store.status().await.unwrap();
        let outcome = store.save(vec![event.clone()]).await.unwrap().remove(0);
        let after = store.status().await.unwrap();
        match preview {
            Preview::Refused(refusal) => assert_eq!(outcome, refusal, "{event:?}"),
            Preview::Stored | Preview::Replaces(_) => {
                assert!(matches!(outcome, SaveOutcome::Stored(_)), "{outcome:?}: {event:?}");
            }
        }
        if let Preview::Replaces(serial) = preview {
            assert!(serials.fetch(&[serial]).await.unwrap().is_empty(), "{event:?}");
            assert_eq!(after.events, before.events, "{event:?}");
        }
    }
}

pub async fn removing_what_expired_leaves_the_rest(engine: &dyn SerialEngine) {
    let (store, serials, _keep) = engine.fresh().await;
    let stays = note(&ALICE, 100, "");
    let begin = Instant::now();
    save(&*store, &[&stays]).await;
    let soon = soon(begin.elapsed()).to_string();
    let brief = event(&ALICE, 1, 100, &[&["expiration", &soon]], "");
    save(&*store, &[&brief]).await;
    while !brief.as_ref().is_expired(Timestamp::now()) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    serials.remove_expired().await.unwrap();
    let found = serials.serials_of(&[event_id(&brief), event_id(&stays)]).await.unwrap();
    assert!(found[0].is_none() && found[1].is_some(), "{found:?}");
}

/// Makes a test of each rule for an engine: `serial_conformance_tests!(crate::MyEngine)`.
#[macro_export]
macro_rules! serial_conformance_tests {
    ($engine:expr) => {
        $crate::serial_conformance_tests! { $engine, when true }
    };
    ($engine:expr, when $is_there:expr) => {
        $crate::conformance_tests! { $engine, when $is_there;
            lookups: [
                ids_have_the_serial_they_were_stored_with,
                serials_have_the_event_they_were_given,
                a_range_of_serials_has_those_in_use_in_order,
                a_preview_is_what_saving_comes_to,
                removing_what_expired_leaves_the_rest,
            ],
        }
    };
}
