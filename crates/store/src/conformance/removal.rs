//! Removal on the operator's behalf.

use super::events::deletion;
use super::{ALICE, Engine, event, note};
use crate::{SaveOutcome, Tombstone};

pub async fn removed_events_are_gone_and_counted(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [first, second, third, absent] = ["a", "b", "c", "d"].map(|text| note(&ALICE, 100, text));
    subject.accepts(&[&first, &second, &third]).await;
    let removed = [&first, &second, &first, &absent];
    assert_eq!(subject.removes(&removed, Tombstone::Forget).await, 2);
    subject.holds(&[&third]).await;
    assert_eq!(subject.removes(&removed, Tombstone::Forget).await, 0);
    assert_eq!(subject.removes(&[], Tombstone::Keep).await, 0);
}

pub async fn with_a_tombstone_an_event_stays_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&note]).await;
    subject.removes(&[&note], Tombstone::Keep).await;
    subject.refuses(&note, SaveOutcome::Deleted).await;
    subject.holds(&[]).await;
}

pub async fn without_a_tombstone_an_event_may_come_back(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&note]).await;
    subject.removes(&[&note], Tombstone::Forget).await;
    subject.accepts(&[&note]).await;
    subject.holds(&[&note]).await;
}

pub async fn an_unseen_id_with_a_tombstone_is_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    assert_eq!(subject.removes(&[&note], Tombstone::Keep).await, 0);
    subject.refuses(&note, SaveOutcome::Deleted).await;
}

pub async fn a_tombstone_can_be_lifted(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    subject.removes(&[&note], Tombstone::Keep).await;
    subject.removes(&[&note], Tombstone::Forget).await;
    subject.accepts(&[&note]).await;
}

pub async fn anything_can_be_removed(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let request = deletion(&ALICE, 100, &[]);
    let vanish = event(&ALICE, 62, 100, &[&["relay", "ALL_RELAYS"]], "");
    subject.accepts(&[&request, &vanish]).await;
    subject.removes(&[&request, &vanish], Tombstone::Keep).await;
    subject.holds(&[]).await;
    subject.refuses(&request, SaveOutcome::Deleted).await;
    subject.refuses(&vanish, SaveOutcome::Deleted).await;
}

pub async fn a_removed_version_frees_its_address(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [old, new] = [100, 101].map(|at| event(&ALICE, 0, at, &[], ""));
    subject.accepts(&[&new]).await;
    subject.removes(&[&new], Tombstone::Keep).await;
    subject.accepts(&[&old]).await;
    subject.holds(&[&old]).await;
}
