//! Saving.

use std::sync::Arc;

use event::{Event, Timestamp};

use super::{ALICE, BOB, Engine, event, note};
use crate::{SaveOutcome, Serial};

pub async fn a_new_event_is_stored_and_served_unchanged(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let event = event(&ALICE, 1, 100, &[&["t", "a\"b\\"], &["e"], &[]], "line\n\u{1}\u{1f600}é\"/");
    subject.accepts(&[&event]).await;
    subject.finds("{}", &[&event]).await;
}

pub async fn the_same_event_again_is_a_duplicate(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&note]).await;
    subject.refuses(&note, SaveOutcome::Duplicate).await;
    subject.holds(&[&note]).await;
}

pub async fn the_same_event_twice_in_a_batch_is_a_duplicate(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    let outcomes = subject.save(&[&note, &note]).await.unwrap();
    assert_eq!(outcomes, [SaveOutcome::Stored(Serial::new(1)), SaveOutcome::Duplicate]);
    subject.holds(&[&note]).await;
}

pub async fn ephemeral_events_are_not_stored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    for kind in [20_000, 29_999] {
        subject.refuses(&event(&ALICE, kind, 100, &[], ""), SaveOutcome::Ephemeral).await;
    }
    subject.holds(&[]).await;
}

pub async fn outcomes_stand_in_the_order_of_the_batch(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (old, known) = (note(&ALICE, 100, ""), note(&BOB, 100, ""));
    subject.accepts(&[&known]).await;
    let fleeting = event(&ALICE, 20_001, 100, &[], "");
    let outcomes = subject.save(&[&known, &old, &fleeting, &old]).await.unwrap();
    assert!(matches!(
        outcomes[..],
        [
            SaveOutcome::Duplicate,
            SaveOutcome::Stored(_),
            SaveOutcome::Ephemeral,
            SaveOutcome::Duplicate
        ]
    ));
}

pub async fn an_empty_batch_is_no_work(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    assert!(subject.save(&[]).await.unwrap().is_empty());
    subject.holds(&[]).await;
}

pub async fn contains_says_of_each_id_whether_it_is_stored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (here, absent) = (note(&ALICE, 100, ""), note(&ALICE, 101, ""));
    subject.accepts(&[&here]).await;
    let ids = [absent.as_ref().id(), here.as_ref().id(), absent.as_ref().id()];
    assert_eq!(subject.store.contains(&ids).await.unwrap(), [false, true, false]);
    assert!(subject.store.contains(&[]).await.unwrap().is_empty());
}

pub async fn large_events_are_served_unchanged(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let long = note(&ALICE, 101, &"long ".repeat(200_000));
    let tags: Vec<[String; 2]> = (0..2000).map(|n| ["p".into(), format!("{n:064x}")]).collect();
    let tags: Vec<[&str; 2]> = tags.iter().map(|[name, value]| [&name[..], &value[..]]).collect();
    let tags: Vec<&[&str]> = tags.iter().map(|tag| &tag[..]).collect();
    let wide = event(&ALICE, 3, 100, &tags, "");
    subject.accepts(&[&long, &wide]).await;
    subject.finds("{}", &[&long, &wide]).await;
    subject.finds(&format!(r##"{{"#p":["{:064x}"]}}"##, 1999), &[&wide]).await;
}

pub async fn the_earliest_and_the_latest_time_are_stored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (first, last) = (note(&ALICE, 0, ""), note(&ALICE, Timestamp::MAX.as_secs(), ""));
    subject.accepts(&[&first, &last]).await;
    subject.finds("{}", &[&last, &first]).await;
    subject.finds(r#"{"until":0}"#, &[&first]).await;
    subject.finds(&format!(r#"{{"since":{}}}"#, Timestamp::MAX), &[&last]).await;
}

pub async fn who_saves_at_once_is_told_his_own_outcomes(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let known = note(&BOB, 1, "");
    subject.accepts(&[&known]).await;
    let mut tasks = Vec::new();
    for turn in 0..40u64 {
        let store = Arc::clone(&subject.store);
        let profile = event(&ALICE, 0, turn, &[], "");
        let batch: Vec<Event> = (0..turn % 5).map(|n| note(&ALICE, turn, &n.to_string())).collect();
        let batch = [batch, vec![known.clone(), profile]].concat();
        tasks.push(tokio::spawn(async move { (batch.len(), store.save(batch).await.unwrap()) }));
    }
    let mut serials = Vec::new();
    for task in tasks {
        let (len, outcomes) = task.await.unwrap();
        let [notes @ .., known, profile] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert_eq!((outcomes.len(), *known), (len, SaveOutcome::Duplicate));
        assert!(notes.iter().all(|outcome| matches!(outcome, SaveOutcome::Stored(_))));
        assert!(matches!(profile, SaveOutcome::Stored(_) | SaveOutcome::Superseded));
        serials.extend(outcomes.iter().filter_map(|outcome| match outcome {
            SaveOutcome::Stored(serial) => Some(*serial),
            _ => None,
        }));
    }
    let saved = serials.len();
    serials.sort_unstable();
    serials.dedup();
    assert_eq!(serials.len(), saved, "a serial was given twice");
    subject.finds(r#"{"kinds":[0]}"#, &[&event(&ALICE, 0, 39, &[], "")]).await;
    assert_eq!(subject.all(r#"{"kinds":[1]}"#).await.len(), 1 + 40 / 5 * 10);
}

pub async fn status_counts_events(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let status = subject.store.status().await.unwrap();
    assert_eq!((status.events, status.last_serial, status.read_only), (0, Serial::new(0), None));
    subject.accepts(&[&note(&ALICE, 100, ""), &note(&ALICE, 101, "")]).await;
    let status = subject.store.status().await.unwrap();
    assert_eq!((status.events, status.last_serial, status.read_only), (2, Serial::new(2), None));
}
