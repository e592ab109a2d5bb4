//! Deletion requests (NIP-09).

use super::events::{address, deletion, id};
use super::{ALICE, BOB, Engine, event, note};
use crate::SaveOutcome;

pub async fn request_deletes_events_it_names_and_stays(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [first, second, third] = ["a", "b", "c"].map(|text| note(&ALICE, 100, text));
    let request = deletion(&ALICE, 101, &[&["e", &id(&first)], &["e", &id(&second)]]);
    subject.accepts(&[&first, &second, &third]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&third, &request]).await;
}

pub async fn a_deleted_event_stays_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&note]).await;
    subject.accepts(&[&deletion(&ALICE, 101, &[&["e", &id(&note)]])]).await;
    subject.refuses(&note, SaveOutcome::Deleted).await;
}

pub async fn request_by_another_author_is_ignored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    let request = deletion(&BOB, 101, &[&["e", &id(&note)]]);
    subject.accepts(&[&note]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&note, &request]).await;
    subject.refuses(&note, SaveOutcome::Duplicate).await;
}

pub async fn event_named_before_it_comes_is_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    subject.accepts(&[&deletion(&ALICE, 101, &[&["e", &id(&note)]])]).await;
    subject.refuses(&note, SaveOutcome::Deleted).await;
}

pub async fn event_named_before_it_comes_by_another_author_is_stored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 100, "");
    let request = deletion(&BOB, 101, &[&["e", &id(&note)]]);
    subject.accepts(&[&request]).await;
    subject.accepts(&[&note]).await;
    subject.holds(&[&note, &request]).await;
}

pub async fn request_deletes_a_later_event_it_names(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 200, "");
    let request = deletion(&ALICE, 100, &[&["e", &id(&note)]]);
    subject.accepts(&[&note]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&request]).await;
}

pub async fn requests_cannot_be_deleted(engine: &dyn Engine) {
    let first = deletion(&ALICE, 100, &[]);
    let second = deletion(&ALICE, 101, &[&["e", &id(&first)]]);
    for order in [[&first, &second], [&second, &first]] {
        let subject = engine.fresh().await;
        subject.accepts(&order[..1]).await;
        subject.accepts(&order[1..]).await;
        subject.holds(&order).await;
    }
}

pub async fn requests_to_vanish_cannot_be_deleted(engine: &dyn Engine) {
    let vanish = event(&ALICE, 62, 100, &[&["relay", "ALL_RELAYS"]], "");
    let request = deletion(&ALICE, 101, &[&["e", &id(&vanish)]]);
    for order in [[&vanish, &request], [&request, &vanish]] {
        let subject = engine.fresh().await;
        subject.accepts(&order[..1]).await;
        subject.accepts(&order[1..]).await;
        subject.holds(&order).await;
    }
}

pub async fn address_is_deleted_up_to_the_time_of_the_request(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let article = event(&ALICE, 30_023, 100, &[&["d", "x"]], "");
    let request = deletion(&ALICE, 100, &[&["a", &address(30_023, &ALICE, "x")]]);
    subject.accepts(&[&article]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&request]).await;
}

pub async fn version_after_the_request_survives(engine: &dyn Engine) {
    let article = event(&ALICE, 30_023, 101, &[&["d", "x"]], "");
    let request = deletion(&ALICE, 100, &[&["a", &address(30_023, &ALICE, "x")]]);
    for order in [[&article, &request], [&request, &article]] {
        let subject = engine.fresh().await;
        subject.accepts(&order[..1]).await;
        subject.accepts(&order[1..]).await;
        subject.holds(&order).await;
    }
}

pub async fn version_up_to_the_request_is_refused_later(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let request = deletion(&ALICE, 100, &[&["a", &address(30_023, &ALICE, "x")]]);
    subject.accepts(&[&request]).await;
    for at in [99, 100] {
        let article = event(&ALICE, 30_023, at, &[&["d", "x"]], "");
        subject.refuses(&article, SaveOutcome::Deleted).await;
    }
}

pub async fn address_of_another_author_is_ignored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [article, late] = ["x", "y"].map(|d| event(&ALICE, 30_023, 100, &[&["d", d]], ""));
    let addresses = ["x", "y"].map(|d| address(30_023, &ALICE, d));
    let request = deletion(&BOB, 101, &[&["a", &addresses[0]], &["a", &addresses[1]]]);
    subject.accepts(&[&article]).await;
    subject.accepts(&[&request]).await;
    subject.accepts(&[&late]).await;
    subject.holds(&[&article, &request, &late]).await;
}

pub async fn replaceable_event_is_deleted_by_its_address(engine: &dyn Engine) {
    for d in ["", "whatever"] {
        let subject = engine.fresh().await;
        let profile = event(&ALICE, 0, 100, &[], "");
        let request = deletion(&ALICE, 101, &[&["a", &address(0, &ALICE, d)]]);
        subject.accepts(&[&profile]).await;
        subject.accepts(&[&request]).await;
        subject.holds(&[&request]).await;
        subject.refuses(&profile, SaveOutcome::Deleted).await;
    }
}

pub async fn addresses_are_told_apart_by_their_d_tag(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [x, y] = ["x:\"1", "x"].map(|d| event(&ALICE, 30_023, 100, &[&["d", d]], ""));
    let request = deletion(&ALICE, 101, &[&["a", &address(30_023, &ALICE, "x:\"1")]]);
    subject.accepts(&[&x, &y]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&y, &request]).await;
}

pub async fn older_request_does_not_shorten_a_newer(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let address = address(30_023, &ALICE, "");
    for at in [200, 100] {
        subject.accepts(&[&deletion(&ALICE, at, &[&["a", &address]])]).await;
    }
    subject.refuses(&event(&ALICE, 30_023, 150, &[], ""), SaveOutcome::Deleted).await;
}

pub async fn tags_that_name_nothing_are_passed_over(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let [note, gone] = ["a", "b"].map(|text| note(&ALICE, 100, text));
    let regular = address(1, &ALICE, "");
    let request = deletion(
        &ALICE,
        101,
        &[
            &["e"],
            &["e", "no id"],
            &["a", &regular],
            &["a", "30023"],
            &["a", "x:y:z"],
            &["k", "1"],
            &["e", &id(&gone)],
        ],
    );
    subject.accepts(&[&note, &gone]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&note, &request]).await;
}
