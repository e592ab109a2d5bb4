//! Watching.

use std::time::Duration;

use event::{Event, EventId};

use super::{ALICE, BOB, Engine, event, note};
use crate::{SaveOutcome, Serial};

pub async fn events_come_in_the_order_of_their_serials(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let notes = [102, 100, 101].map(|at| note(&ALICE, at, ""));
    let serials = subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    let mut watch = subject.store.watch(Serial::default());
    let expected: Vec<_> = serials.into_iter().zip(notes.iter().map(id)).collect();
    assert_eq!(subject.next(watch.as_mut(), 3).await, expected);
}

pub async fn it_starts_behind_the_serial_given(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let notes = [100, 101, 102].map(|at| note(&ALICE, at, ""));
    let serials = subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    let mut watch = subject.store.watch(serials[1]);
    assert_eq!(subject.next(watch.as_mut(), 1).await, [(serials[2], id(&notes[2]))]);
}

pub async fn what_is_stored_later_comes_at_once(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let mut watch = subject.store.watch(Serial::default());
    for at in 100..105 {
        let note = note(&ALICE, at, "");
        let serials = subject.accepts(&[&note]).await;
        assert_eq!(subject.next(watch.as_mut(), 1).await, [(serials[0], id(&note))]);
    }
}

pub async fn refused_events_do_not_come(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let mut watch = subject.store.watch(Serial::default());
    let (first, last) = (note(&ALICE, 100, ""), note(&BOB, 100, ""));
    subject.accepts(&[&first]).await;
    subject.refuses(&first, SaveOutcome::Duplicate).await;
    subject.refuses(&event(&ALICE, 20_000, 100, &[], ""), SaveOutcome::Ephemeral).await;
    subject.accepts(&[&last]).await;
    let seen = subject.next(watch.as_mut(), 2).await;
    assert_eq!(seen.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), [id(&first), id(&last)]);
}

pub async fn each_event_comes_once_across_many_batches(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let mut watch = subject.store.watch(Serial::default());
    let notes: Vec<Event> = (0..1200).map(|at| note(&ALICE, at, "")).collect();
    let mut expected = Vec::new();
    for (turn, batch) in notes.chunks(7).enumerate() {
        let serials = subject.accepts(&batch.iter().collect::<Vec<_>>()).await;
        expected.extend(serials.into_iter().zip(batch.iter().map(id)));
        if turn == 3 {
            assert_eq!(subject.next(watch.as_mut(), 28).await, expected);
        }
    }
    assert_eq!(subject.next(watch.as_mut(), 1172).await, expected[28..]);
    let mut late = subject.store.watch(Serial::default());
    assert_eq!(subject.next(late.as_mut(), 1200).await, expected);
}

pub async fn watchers_do_not_disturb_each_other(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let mut first = subject.store.watch(Serial::default());
    let gone = subject.store.watch(Serial::default());
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&note]).await;
    let mut second = subject.store.watch(Serial::default());
    drop(gone);
    let seen = subject.next(first.as_mut(), 1).await;
    assert_eq!(subject.next(second.as_mut(), 1).await, seen);
}

pub async fn after_the_last_serial_only_new_events_come(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    subject.accepts(&[&note(&ALICE, 100, "old")]).await;
    let last = subject.store.status().await.unwrap().last_serial;
    let mut watch = subject.store.watch(last);
    let new = note(&ALICE, 100, "new");
    let serials = subject.accepts(&[&new]).await;
    assert_eq!(subject.next(watch.as_mut(), 1).await, [(serials[0], id(&new))]);
}

pub async fn after_the_largest_serial_nothing_comes(engine: &dyn Engine) {
    for after in [Serial::MAX, Serial::new(u64::MAX)] {
        let subject = engine.fresh().await;
        subject.accepts(&[&note(&ALICE, 100, "")]).await;
        let mut watch = subject.store.watch(after);
        subject.accepts(&[&note(&ALICE, 101, "")]).await;
        let came = tokio::time::timeout(Duration::from_millis(300), watch.next()).await;
        assert!(came.is_err(), "something came");
    }
}

fn id(event: &Event) -> EventId {
    event.as_ref().id()
}
