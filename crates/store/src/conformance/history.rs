//! Random histories: whatever happened, an engine ends as the store in memory does.
//!
//! Authors, kinds, times and tags are few, so that events meet at addresses, in seconds and in
//! requests that name them. [`histories`] is for engines that want more cases, and shrinking.

mod sketch;

use event::{Event, EventId};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::batches::without_serial;
use super::{Engine, Subject, note, relay_urls};
use crate::{MemoryStore, Serial, Tombstone};
use sketch::{EventSketch, QuerySketch, crowd_of, event_sketch, query_sketch, time};

/// How many histories the rule tries.
const SAMPLES: usize = 12;

/// What is done to a store, and what it is asked in the end.
#[derive(Clone, Debug)]
pub struct History {
    acts: Vec<Act>,
    queries: Vec<QuerySketch>,
}

#[derive(Clone, Debug)]
enum Act {
    Save(Vec<EventSketch>),
    /// The last comes first: requests come before what they name.
    SaveBackwards(Vec<EventSketch>),
    /// Many notes of one second.
    Crowd {
        count: u16,
        at: u64,
    },
    /// Events that stand side by side in the order in which they were made.
    Remove {
        from: Index,
        count: usize,
        tombstone: Tombstone,
    },
}

/// Histories of up to some hundred events.
pub fn histories() -> impl Strategy<Value = History> {
    (vec(act(), 1..20), vec(query_sketch(), 8..16))
        .prop_map(|(acts, queries)| History { acts, queries })
}

fn act() -> impl Strategy<Value = Act> {
    let tombstone =
        any::<bool>().prop_map(|keep| if keep { Tombstone::Keep } else { Tombstone::Forget });
    let remove = (any::<Index>(), 0..120usize, tombstone);
    proptest::prop_oneof![
        6 => vec(event_sketch(), 1..15).prop_map(Act::Save),
        2 => vec(event_sketch(), 1..15).prop_map(Act::SaveBackwards),
        1 => (1..200u16, time()).prop_map(|(count, at)| Act::Crowd { count, at }),
        2 => remove.prop_map(|(from, count, tombstone)| Act::Remove { from, count, tombstone }),
    ]
}

pub async fn random_histories_end_as_in_memory(engine: &dyn Engine) {
    let mut runner = TestRunner::deterministic();
    for _ in 0..SAMPLES {
        let history = histories().new_tree(&mut runner).unwrap().current();
        compare(&engine.fresh().await, &history).await;
    }
}

/// Does to a fresh store and to one in memory what `history` says: both must come to the same.
pub async fn compare(subject: &Subject, history: &History) {
    let memory = Subject::new(MemoryStore::new(relay_urls()).into(), ());
    let mut made: Vec<Event> = Vec::new();
    for act in &history.acts {
        match act {
            Act::Save(sketches) | Act::SaveBackwards(sketches) => {
                let first = made.len();
                for sketch in sketches {
                    let event = sketch.draw(&made);
                    made.push(event);
                }
                if let Act::SaveBackwards(_) = act {
                    made[first..].reverse();
                }
                save(subject, &memory, &made[first..]).await;
            }
            Act::Crowd { count, at } => {
                let first = made.len();
                made.extend((0..*count).map(|n| note(crowd_of(n), *at, &n.to_string())));
                save(subject, &memory, &made[first..]).await;
            }
            Act::Remove { from, count, tombstone } if !made.is_empty() => {
                let neighbours = made.iter().cycle().skip(from.index(made.len())).take(*count);
                let neighbours: Vec<&Event> = neighbours.collect();
                let removed = subject.removes(&neighbours, *tombstone).await;
                assert_eq!(removed, memory.removes(&neighbours, *tombstone).await);
            }
            Act::Remove { .. } => {}
        }
    }
    compare_content(subject, &memory, &made).await;
    for query in history.queries.iter().map(|sketch| sketch.draw(&made)) {
        let (found, expected) = (subject.answer(&query).await, memory.answer(&query).await);
        assert_eq!(ids(&found), ids(&expected), "{query:?}");
        let count = subject.store.count(&query).await.unwrap();
        assert_eq!(count, memory.store.count(&query).await.unwrap(), "{query:?}");
    }
}

async fn save(subject: &Subject, memory: &Subject, events: &[Event]) {
    let events: Vec<&Event> = events.iter().collect();
    let outcomes = subject.save(&events).await.unwrap();
    let expected = memory.save(&events).await.unwrap();
    assert_eq!(outcomes.len(), expected.len());
    for ((event, outcome), expected) in events.iter().zip(outcomes).zip(expected) {
        assert_eq!(without_serial(outcome), without_serial(expected), "{event:?}");
    }
}

/// What is there must be the same, in every way of looking at it.
async fn compare_content(subject: &Subject, memory: &Subject, made: &[Event]) {
    let expected = memory.all("{}").await;
    assert_eq!(subject.all("{}").await, expected);
    let made = ids(made);
    let contained = subject.store.contains(&made).await.unwrap();
    assert_eq!(contained, memory.store.contains(&made).await.unwrap());
    let status = subject.store.status().await.unwrap();
    assert_eq!(status.events, expected.len() as u64);
    let mut arrivals = Vec::new();
    for subject in [subject, memory] {
        let mut watch = subject.store.watch(Serial::default());
        let seen = subject.next(watch.as_mut(), expected.len()).await;
        assert!(seen.is_sorted_by(|a, b| a.0 < b.0));
        arrivals.push(seen.into_iter().map(|(_, id)| id).collect::<Vec<EventId>>());
    }
    assert_eq!(arrivals[0], arrivals[1]);
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.as_ref().id()).collect()
}
