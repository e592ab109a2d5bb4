//! Answers of many batches.

use std::sync::LazyLock;

use event::Event;

use super::subject::{more, query};
use super::{ALICE, Engine, Subject, event, note};
use crate::{Tombstone, Viewer};

/// Enough for several batches of any engine, by size and by number.
static MANY: LazyLock<Vec<Event>> = LazyLock::new(|| {
    let text = "x".repeat(150);
    let tags: [&[&str]; 2] = [&["t", "a"], &["t", "b"]];
    (0..2500).map(|n| event(&ALICE, 1, 1000 + n / 3, &tags, &format!("{n} {text}"))).collect()
});

const FILTERS: [&str; 4] =
    ["{}", r#"{"kinds":[1,2]}"#, r##"{"#t":["a","b"]}"##, r##"{"#t":["b","c"],"kinds":[1]}"##];

pub async fn a_large_answer_is_complete_and_in_order(engine: &dyn Engine) {
    let subject = full(engine).await;
    let author = format!(r#"{{"authors":["{}"]}}"#, ALICE.pubkey());
    for filter in ["{}", r#"{"kinds":[1]}"#, &author] {
        subject.finds(filter, &in_order()).await;
    }
    let ids: Vec<String> = MANY.iter().map(|note| format!("\"{}\"", note.as_ref().id())).collect();
    subject.finds(&format!(r#"{{"ids":[{}]}}"#, ids.join(",")), &in_order()).await;
}

pub async fn a_large_answer_found_in_two_ways_has_no_duplicates(engine: &dyn Engine) {
    let subject = full(engine).await;
    for filter in FILTERS {
        subject.finds(filter, &in_order()).await;
    }
    subject.shows(&Viewer::OPERATOR, &FILTERS, &in_order()).await;
}

pub async fn events_that_come_and_go_do_not_disturb_the_others(engine: &dyn Engine) {
    for filter in FILTERS {
        let subject = full(engine).await;
        let mut rows = subject.store.query(query(&Viewer::OPERATOR, &[filter]));
        let mut found = Vec::new();
        let (mut newer, mut oldest) = (5000, MANY.iter());
        let mut removed = Vec::new();
        while let Some(events) = more(rows.as_mut()).await {
            let last = events[events.len() - 1].clone();
            found.extend(events);
            newer += 1;
            subject.accepts(&[&note(&ALICE, newer, "new")]).await;
            removed.extend(oldest.by_ref().take(30));
            subject.removes(&removed, Tombstone::Keep).await;
            subject.removes(&[&last], Tombstone::Keep).await;
        }
        let stayed = |event: &&Event| !removed.contains(event);
        let expected: Vec<&Event> = in_order().into_iter().filter(stayed).collect();
        let given: Vec<&Event> = found.iter().filter(stayed).collect();
        assert_eq!(given, expected, "{filter}");
    }
}

pub async fn a_large_answer_stops_at_its_limit(engine: &dyn Engine) {
    let subject = full(engine).await;
    for filter in [r#"{"limit":2000}"#, r##"{"#t":["a","b"],"limit":2000}"##] {
        subject.finds(filter, &in_order()[..2000]).await;
    }
}

async fn full(engine: &dyn Engine) -> Subject {
    let subject = engine.fresh().await;
    subject.accepts(&MANY.iter().collect::<Vec<_>>()).await;
    subject
}

fn in_order() -> Vec<&'static Event> {
    let mut notes: Vec<&Event> = MANY.iter().collect();
    notes.sort_by_key(|note| (std::cmp::Reverse(note.as_ref().created_at()), note.as_ref().id()));
    notes
}
