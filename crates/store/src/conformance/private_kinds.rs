//! Kinds that only their parties may read.

use event::{Event, Keys, Kind};

use super::{ALICE, BOB, CAROL, Engine, event, note};
use crate::Viewer;

pub async fn they_are_seen_by_their_parties_only(engine: &dyn Engine) {
    for kind in Kind::PRIVATE.into_iter().filter(|kind| kind.as_u16() < 20_000) {
        let subject = engine.fresh().await;
        let (secret, open) = (message(kind, &ALICE, &BOB, 101), note(&ALICE, 100, ""));
        subject.accepts(&[&secret, &open]).await;
        let by_author = format!(r#"{{"authors":["{}"]}}"#, ALICE.pubkey());
        let by_party = format!(r##"{{"#p":["{}"]}}"##, BOB.pubkey());
        let by_kind = format!(r#"{{"kinds":[{kind}]}}"#);
        for viewer in [Viewer::OPERATOR, viewer(&[&ALICE]), viewer(&[&BOB])] {
            subject.shows(&viewer, &["{}"], &[&secret, &open]).await;
            subject.shows(&viewer, &[&by_author], &[&secret, &open]).await;
            subject.shows(&viewer, &[&by_party], &[&secret]).await;
            subject.shows(&viewer, &[&by_kind], &[&secret]).await;
        }
        let stranger = viewer(&[&CAROL]);
        subject.shows(&stranger, &["{}"], &[&open]).await;
        subject.shows(&stranger, &[&by_author], &[&open]).await;
        subject.shows(&stranger, &[&by_party], &[]).await;
        subject.shows(&stranger, &[&by_kind], &[]).await;
    }
}

pub async fn they_are_seen_by_nobody_without_a_pubkey(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let open = note(&ALICE, 100, "");
    subject.accepts(&[&message(Kind::new(4), &ALICE, &BOB, 101), &open]).await;
    subject.shows(&viewer(&[]), &["{}"], &[&open]).await;
    subject.shows(&viewer(&[]), &[r#"{"kinds":[1,4]}"#], &[&open]).await;
    subject.shows(&viewer(&[]), &[r#"{"kinds":[4]}"#], &[]).await;
}

pub async fn any_of_several_pubkeys_will_do(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let to_bob = message(Kind::new(4), &ALICE, &BOB, 102);
    let to_carol = message(Kind::GIFT_WRAP, &ALICE, &CAROL, 101);
    let to_alice = message(Kind::new(4), &ALICE, &ALICE, 100);
    subject.accepts(&[&to_bob, &to_carol, &to_alice]).await;
    subject.shows(&viewer(&[&BOB, &CAROL]), &["{}"], &[&to_bob, &to_carol]).await;
    subject.shows(&viewer(&[&CAROL, &BOB]), &["{}"], &[&to_bob, &to_carol]).await;
    subject.shows(&viewer(&[&CAROL, &ALICE]), &["{}"], &[&to_bob, &to_carol, &to_alice]).await;
}

pub async fn they_do_not_use_up_the_limit(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let open = note(&ALICE, 100, "");
    subject.accepts(&[&message(Kind::new(4), &ALICE, &BOB, 101), &open]).await;
    subject.shows(&viewer(&[&CAROL]), &[r#"{"limit":1}"#], &[&open]).await;
    subject.shows(&viewer(&[&CAROL]), &[r#"{"kinds":[1,4],"limit":1}"#], &[&open]).await;
}

pub async fn asking_by_id_does_not_reveal_them(engine: &dyn Engine) {
    let subject = engine.fresh().await;
    let secret = message(Kind::new(4), &ALICE, &BOB, 101);
    subject.accepts(&[&secret]).await;
    let by_id = format!(r#"{{"ids":["{}"]}}"#, secret.as_ref().id());
    subject.shows(&viewer(&[&CAROL]), &[&by_id], &[]).await;
    subject.shows(&viewer(&[&BOB]), &[&by_id], &[&secret]).await;
}

fn message(kind: Kind, from: &Keys, to: &Keys, created_at: u64) -> Event {
    event(from, kind.as_u16(), created_at, &[&["p", &to.pubkey().to_string()]], "")
}

fn viewer(keys: &[&Keys]) -> Viewer {
    Viewer::of(keys.iter().map(|keys| keys.pubkey()).collect())
}
