//! Requests to vanish (NIP-62).

use event::{Event, Keys};

use super::events::{deletion, id};
use super::{ALICE, BOB, Engine, ONION_URL, RELAY_URL, event, note};
use crate::SaveOutcome;

const ALL: &str = "ALL_RELAYS";

pub async fn everything_up_to_the_request_is_forgotten(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let kinds = [0, 1, 4, 5, 7, 10_002, 30_023];
    let written = kinds.map(|kind| event(&ALICE, kind, 100, &[], ""));
    let (same_second, later, other) =
        (note(&ALICE, 200, ""), note(&ALICE, 201, ""), note(&BOB, 100, ""));
    let request = vanish(&ALICE, 200, ALL);
    subject.accepts(&written.iter().collect::<Vec<_>>()).await;
    subject.accepts(&[&same_second, &later, &other]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&later, &other, &request]).await;
}

pub async fn what_was_forgotten_stays_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let known = note(&ALICE, 100, "known");
    subject.accepts(&[&known]).await;
    subject.accepts(&[&vanish(&ALICE, 200, ALL)]).await;
    subject.refuses(&known, SaveOutcome::Vanished).await;
    subject.refuses(&note(&ALICE, 200, "unknown"), SaveOutcome::Vanished).await;
}

pub async fn later_events_are_stored(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (request, later) = (vanish(&ALICE, 200, ALL), note(&ALICE, 201, ""));
    subject.accepts(&[&request]).await;
    subject.accepts(&[&later]).await;
    subject.holds(&[&request, &later]).await;
}

pub async fn request_to_this_relay_is_heeded_by_any_name_and_slash(engine: &dyn Engine) {
    for relay in [RELAY_URL, RELAY_URL.trim_end_matches('/'), ONION_URL] {
        let subject = engine.fresh().await;
        let request = vanish(&ALICE, 200, relay);
        subject.accepts(&[&note(&ALICE, 100, "")]).await;
        subject.accepts(&[&request]).await;
        subject.holds(&[&request]).await;
    }
}

pub async fn request_to_another_relay_is_stored_only(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let (note, late) = (note(&ALICE, 100, "a"), note(&ALICE, 100, "b"));
    let request = vanish(&ALICE, 200, "wss://elsewhere.example.com");
    subject.accepts(&[&note]).await;
    subject.accepts(&[&request]).await;
    subject.accepts(&[&late]).await;
    subject.holds(&[&note, &late, &request]).await;
}

pub async fn gift_wraps_to_the_author_are_forgotten_and_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let alice = ALICE.pubkey().to_string();
    let [wrap, unseen] = ["a", "b"].map(|text| event(&BOB, 1059, 100, &[&["p", &alice]], text));
    let later = event(&BOB, 1059, 201, &[&["p", &alice]], "");
    let to_bob = event(&BOB, 1059, 100, &[&["p", &BOB.pubkey().to_string()]], "");
    let request = vanish(&ALICE, 200, ALL);
    subject.accepts(&[&wrap, &later, &to_bob]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&later, &to_bob, &request]).await;
    subject.refuses(&wrap, SaveOutcome::Vanished).await;
    subject.refuses(&unseen, SaveOutcome::Vanished).await;
}

pub async fn events_that_mention_the_author_stay(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let mention = event(&BOB, 1, 100, &[&["p", &ALICE.pubkey().to_string()]], "");
    let request = vanish(&ALICE, 200, ALL);
    subject.accepts(&[&mention]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&mention, &request]).await;
}

pub async fn older_request_does_not_shorten_a_newer(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    for at in [200, 100] {
        subject.accepts(&[&vanish(&ALICE, at, ALL)]).await;
    }
    subject.refuses(&note(&ALICE, 150, ""), SaveOutcome::Vanished).await;
}

pub async fn what_the_author_deleted_stays_refused(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let note = note(&ALICE, 300, "");
    let request = vanish(&ALICE, 200, ALL);
    subject.accepts(&[&deletion(&ALICE, 100, &[&["e", &id(&note)]])]).await;
    subject.accepts(&[&request]).await;
    subject.holds(&[&request]).await;
    subject.refuses(&note, SaveOutcome::Deleted).await;
}

pub async fn requests_are_kept_in_any_order(engine: &dyn Engine) {
    let elsewhere = vanish(&ALICE, 100, "wss://elsewhere.example.com");
    let here = vanish(&ALICE, 200, ALL);
    for order in [[&elsewhere, &here], [&here, &elsewhere]] {
        let subject = engine.fresh().await;
        subject.accepts(&order[..1]).await;
        subject.accepts(&order[1..]).await;
        subject.holds(&order).await;
    }
}

fn vanish(author: &Keys, created_at: u64, relay: &str) -> Event {
    event(author, 62, created_at, &[&["relay", relay]], "")
}
