//! Replaceable and addressable events (NIP-01).

use super::{ALICE, BOB, Engine, event, note};
use crate::SaveOutcome;

pub async fn a_newer_version_takes_the_place_of_an_older(engine: &dyn Engine) {
    for kind in [0, 3, 10_000, 19_999, 30_000, 39_999] {
        let subject = engine.fresh().await;
        let [old, new] = [100, 101].map(|at| event(&ALICE, kind, at, &[], ""));
        subject.accepts(&[&old]).await;
        subject.accepts(&[&new]).await;
        subject.holds(&[&new]).await;
        assert_eq!(subject.store.contains(&[old.as_ref().id()]).await.unwrap(), [false]);
    }
}

pub async fn an_older_version_is_superseded(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    for kind in [0, 30_000] {
        subject.accepts(&[&event(&ALICE, kind, 101, &[], "")]).await;
        let old = event(&ALICE, kind, 100, &[], "");
        subject.refuses(&old, SaveOutcome::Superseded).await;
    }
}

pub async fn in_the_same_second_the_lower_id_stays(engine: &dyn Engine) {
    for kind in [0, 30_000] {
        let mut versions = ["a", "b"].map(|text| event(&ALICE, kind, 100, &[], text));
        versions.sort_by_key(|version| version.as_ref().id());
        let [lower, higher] = &versions;

        let subject = engine.fresh().await;
        subject.accepts(&[lower]).await;
        subject.refuses(higher, SaveOutcome::Superseded).await;
        subject.holds(&[lower]).await;

        let subject = engine.fresh().await;
        subject.accepts(&[higher]).await;
        subject.accepts(&[lower]).await;
        subject.holds(&[lower]).await;
    }
}

pub async fn a_replaced_version_does_not_come_back(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [old, new] = [100, 101].map(|at| event(&ALICE, 0, at, &[], ""));
    subject.accepts(&[&old]).await;
    subject.accepts(&[&new]).await;
    subject.refuses(&old, SaveOutcome::Superseded).await;
    subject.refuses(&new, SaveOutcome::Duplicate).await;
}

pub async fn authors_and_kinds_do_not_replace_each_other(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let all = [(&ALICE, 0), (&BOB, 0), (&ALICE, 3), (&ALICE, 30_000), (&BOB, 30_000)]
        .map(|(author, kind)| event(author, kind, 100, &[], ""));
    let all: Vec<_> = all.iter().collect();
    subject.accepts(&all).await;
    subject.holds(&all).await;
}

pub async fn a_replaceable_event_has_one_address_whatever_its_d_tag(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let new = event(&ALICE, 10_002, 101, &[&["d", "b"]], "");
    subject.accepts(&[&event(&ALICE, 10_002, 100, &[&["d", "a"]], "")]).await;
    subject.accepts(&[&new]).await;
    subject.holds(&[&new]).await;
}

pub async fn addressable_events_are_told_apart_by_their_d_tag(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [a, b] = ["a", "b"].map(|d| event(&ALICE, 30_023, 100, &[&["d", d]], ""));
    let newer = event(&ALICE, 30_023, 101, &[&["d", "a"]], "");
    subject.accepts(&[&a, &b]).await;
    subject.accepts(&[&newer]).await;
    subject.holds(&[&newer, &b]).await;
}

pub async fn a_missing_d_tag_is_an_empty_one(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let forms: [&[&[&str]]; 4] = [&[], &[&["d", ""]], &[&["d"]], &[&["d", "", "x"]]];
    for (at, tags) in (100..).zip(forms) {
        let version = event(&ALICE, 30_023, at, tags, "");
        subject.accepts(&[&version]).await;
        subject.holds(&[&version]).await;
    }
}

pub async fn only_the_first_d_tag_counts(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let old = event(&ALICE, 30_023, 100, &[&["d", "a"], &["d", "b"]], "");
    let other = event(&ALICE, 30_023, 101, &[&["d", "b"]], "");
    let new = event(&ALICE, 30_023, 101, &[&["d", "a"]], "");
    subject.accepts(&[&old]).await;
    subject.accepts(&[&other]).await;
    subject.holds(&[&old, &other]).await;
    subject.accepts(&[&new]).await;
    subject.holds(&[&new, &other]).await;
}

pub async fn regular_events_are_never_replaced(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let notes = [100, 101, 102].map(|at| note(&ALICE, at, ""));
    let notes: Vec<_> = notes.iter().collect();
    subject.accepts(&notes).await;
    subject.holds(&notes).await;
}
