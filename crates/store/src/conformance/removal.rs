//! Removal on the operator's behalf.

use super::events::{address, deletion, id};
use super::{ALICE, BOB, Engine, event, note};
use crate::{Requester, SaveOutcome, Tombstone, carry_out};

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

pub async fn an_operators_request_takes_what_it_names_whoever_wrote_it(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [named, kept, absent] = ["a", "b", "c"].map(|text| note(&ALICE, 100, text));
    let article = |d, at| event(&ALICE, 30_023, at, &[&["d", d]], "");
    let [gone, other, later] = [article("x", 101), article("y", 101), article("z", 102)];
    let profile = event(&ALICE, 0, 100, &[], "");
    let [older, never_seen] = [article("x", 99), article("w", 100)];
    subject.accepts(&[&named, &kept, &gone, &other, &later, &profile]).await;
    let request = deletion(
        &BOB,
        101,
        &[
            &["e", &id(&named)],
            &["e", &id(&absent)],
            &["a", &address(30_023, &ALICE, "x")],
            &["a", &address(30_023, &ALICE, "z")],
            &["a", &address(30_023, &ALICE, "w")],
            &["a", &address(0, &ALICE, "")],
        ],
    );
    let removed = carry_out(&*subject.store, request.as_ref(), Requester::Author).await.unwrap();
    assert_eq!(removed, 0, "Bob is not the author");
    let removed = carry_out(&*subject.store, request.as_ref(), Requester::Operator).await.unwrap();
    assert_eq!(removed, 3);
    subject.holds(&[&kept, &other, &later]).await;
    for event in [&named, &gone, &profile, &absent, &older, &never_seen] {
        subject.refuses(event, SaveOutcome::Deleted).await;
    }
}

pub async fn a_deleted_address_may_be_taken_by_what_is_newer(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let profile = |at| event(&ALICE, 0, at, &[], "");
    let [first, second, third] = [100, 101, 102].map(profile);
    subject.accepts(&[&second]).await;
    assert_eq!(subject.clears(0, &ALICE, 100).await, 0, "what stands there is newer");
    assert_eq!(subject.clears(0, &ALICE, 101).await, 1);
    assert_eq!(subject.clears(0, &ALICE, 99).await, 0, "an earlier request takes nothing back");
    subject.refuses(&first, SaveOutcome::Deleted).await;
    subject.refuses(&second, SaveOutcome::Deleted).await;
    subject.accepts(&[&third]).await;
    subject.holds(&[&third]).await;
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
