//! A process that is killed at any moment loses nothing it acknowledged.

use std::time::Duration;

use event::{Event, EventId};
use store::EventStore;
use store::conformance::{ALICE, BOB, CAROL, event, note};

use crate::child;
use crate::lmdb::{assert_sound, open, scratch, subject};

const ROUNDS: u64 = 15;

#[tokio::test]
async fn every_acknowledged_event_is_there_afterwards() {
    let dir = scratch();
    let mut acknowledged: Vec<EventId> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = child::start("kill::child_saves_until_killed", dir.path());
        let before = acknowledged.len();
        acknowledged.push(child.next("stored").unwrap().parse().unwrap());
        let moment = Duration::from_micros(rand::random_range(0..120_000));
        let killing = child.kill_after(moment);
        while let Some(id) = child.next("stored") {
            // The last line may have been cut.
            acknowledged.extend(id.parse::<EventId>());
        }
        killing.join().unwrap();
        drop(child);
        let store = open(dir.path());
        let found = store.contains(&acknowledged).await.unwrap();
        let lost = found.iter().filter(|is_stored| !**is_stored).count();
        assert_eq!(
            lost,
            0,
            "of {} in round {round}, after {moment:?}",
            acknowledged.len() - before
        );
        assert_sound(&store);
    }
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
}

#[tokio::test]
#[ignore = "started by every_acknowledged_event_is_there_afterwards"]
async fn child_saves_until_killed() {
    let (store, subject) = subject(open(&child::path()));
    let base = store.status().await.unwrap().last_serial.as_u64() * 1000;
    for turn in 0.. {
        let at = base + turn;
        let notes: Vec<Event> =
            (0..=turn % 20).map(|n| note(&ALICE, at, &format!("{n}"))).collect();
        // Beside what is acknowledged there is always something replaced and something deleted.
        let profile = event(&BOB, 0, at, &[], "");
        let doomed = note(&CAROL, at, "");
        let request = event(&CAROL, 5, at, &[&["e", &doomed.as_ref().id().to_string()]], "");
        let mut batch: Vec<&Event> = notes.iter().collect();
        batch.extend([&profile, &doomed, &request]);
        subject.accepts(&batch).await;
        for note in &notes {
            eprintln!("stored {}", note.as_ref().id());
        }
    }
}
