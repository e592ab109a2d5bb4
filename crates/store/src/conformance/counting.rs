//! Counting (NIP-45).

use event::Event;

use super::events::{deletion, id};
use super::{ALICE, BOB, CAROL, Engine, Subject, event, note};
use crate::{Tombstone, Viewer};

pub async fn counts_are_what_queries_give(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    crowd(&subject).await;
    let alice = ALICE.pubkey();
    let viewers = [Viewer::OPERATOR, Viewer::of(vec![]), Viewer::of(vec![alice, CAROL.pubkey()])];
    for viewer in viewers {
        for filter in [
            "{}",
            r#"{"since":105}"#,
            r#"{"since":105,"until":110}"#,
            r#"{"until":104,"kinds":[1]}"#,
            r#"{"kinds":[1,4,7]}"#,
            r#"{"kinds":[4],"since":101}"#,
            r#"{"kinds":[9]}"#,
            r##"{"#t":["x"]}"##,
            r#"{"search":"1"}"#,
            &format!(r#"{{"authors":["{alice}"],"kinds":[1,4]}}"#),
        ] {
            let found = subject.answer(&super::subject::query(&viewer, &[filter])).await;
            let counted = subject.count(&viewer, &[filter]).await;
            assert_eq!(counted, found.len() as u64, "{viewer:?} {filter}");
        }
    }
}

pub async fn limits_do_not_bear_on_counts(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    crowd(&subject).await;
    let all = subject.count(&Viewer::OPERATOR, &["{}"]).await;
    for filters in [&[r#"{"limit":1}"#][..], &[r#"{"limit":0}"#], &[r#"{"limit":2}"#, "{}"]] {
        assert_eq!(subject.count(&Viewer::OPERATOR, filters).await, all);
    }
}

pub async fn what_several_filters_find_counts_once(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    crowd(&subject).await;
    let count = async |filters: &[&str]| subject.count(&Viewer::OPERATOR, filters).await;
    let (ones, sevens) = (count(&[r#"{"kinds":[1]}"#]).await, count(&[r#"{"kinds":[7]}"#]).await);
    assert!(ones > 0 && sevens > 0);
    assert_eq!(count(&[r#"{"kinds":[1]}"#, r#"{"kinds":[1,7]}"#]).await, ones + sevens);
    assert_eq!(count(&[r#"{"kinds":[1]}"#, r#"{"kinds":[1]}"#]).await, ones);
    assert_eq!(count(&[]).await, 0);
}

pub async fn private_kinds_count_for_their_parties_only(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let bob = BOB.pubkey();
    let to = [&ALICE, &BOB, &CAROL].map(|keys| keys.pubkey().to_string());
    let secrets = [&to[0], &to[1], &to[2]].map(|to| event(&ALICE, 4, 101, &[&["p", to]], ""));
    let wrap = event(&BOB, 1059, 101, &[&["p", &bob.to_string()]], "");
    subject
        .accepts(&secrets.iter().chain([&wrap, &note(&ALICE, 100, "")]).collect::<Vec<_>>())
        .await;
    for (viewer, all, direct) in [
        (Viewer::OPERATOR, 5, 3),
        (Viewer::of(vec![]), 1, 0),
        (Viewer::of(vec![bob]), 3, 1),
        (Viewer::of(vec![ALICE.pubkey()]), 4, 3),
        (Viewer::of(vec![bob, ALICE.pubkey()]), 5, 3),
    ] {
        assert_eq!(subject.count(&viewer, &["{}"]).await, all, "{viewer:?}");
        assert_eq!(subject.count(&viewer, &[r#"{"kinds":[4]}"#]).await, direct, "{viewer:?}");
        assert_eq!(subject.count(&viewer, &[r#"{"kinds":[4],"until":100}"#]).await, 0);
    }
}

pub async fn replaced_and_deleted_events_do_not_count(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [old, new] = [100, 101].map(|at| event(&ALICE, 0, at, &[], ""));
    let [gone, removed, kept] = ["a", "b", "c"].map(|text| note(&ALICE, 100, text));
    subject.accepts(&[&old, &gone, &removed, &kept]).await;
    subject.accepts(&[&new, &deletion(&ALICE, 101, &[&["e", &id(&gone)]])]).await;
    subject.removes(&[&removed], Tombstone::Forget).await;
    for (filter, count) in
        [("{}", 3), (r#"{"kinds":[0]}"#, 1), (r#"{"kinds":[1]}"#, 1), (r#"{"until":100}"#, 1)]
    {
        assert_eq!(subject.count(&Viewer::OPERATOR, &[filter]).await, count, "{filter}");
    }
}

/// Some hundred events, most of them in few seconds.
async fn crowd(subject: &Subject) {
    let carol = CAROL.pubkey().to_string();
    let events: Vec<Event> = (0..400usize)
        .map(|n| {
            let author = [&ALICE, &BOB][n % 2];
            let kind = [1, 4, 7, 1, 1059][n % 5];
            let party: &[&[&str]] = if n % 3 == 0 { &[&["p", &carol], &["t", "x"]] } else { &[] };
            let at = if n < 150 { 100 } else { 100 + n as u64 % 20 };
            event(author, kind, at, party, &n.to_string())
        })
        .collect();
    subject.accepts(&events.iter().collect::<Vec<_>>()).await;
}
