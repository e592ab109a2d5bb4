//! What depends on how events are put into batches: nothing.

use event::Event;

use super::events::{address, deletion, id};
use super::{ALICE, BOB, CAROL, Engine, event, note};
use crate::{SaveOutcome, Serial};

pub async fn a_batch_is_worth_the_same_as_its_events_one_by_one(engine: &dyn Engine) {
    for (story, events) in stories() {
        let (whole, single) = (engine.fresh().await, engine.fresh().await);
        let at_once = whole.save(&events.iter().collect::<Vec<_>>()).await.unwrap();
        let mut one_by_one = Vec::new();
        for event in &events {
            one_by_one.extend(single.save(&[event]).await.unwrap());
        }
        let but_serials = |outcomes: Vec<SaveOutcome>| -> Vec<SaveOutcome> {
            outcomes.into_iter().map(without_serial).collect()
        };
        assert_eq!(but_serials(at_once), but_serials(one_by_one), "{story}");
        assert_eq!(whole.all("{}").await, single.all("{}").await, "{story}");
    }
}

/// An outcome, whatever the serial.
pub(crate) fn without_serial(outcome: SaveOutcome) -> SaveOutcome {
    match outcome {
        SaveOutcome::Stored(_) => SaveOutcome::Stored(Serial::default()),
        refused => refused,
    }
}

fn stories() -> Vec<(&'static str, Vec<Event>)> {
    let text = note(&ALICE, 100, "a");
    let delete = deletion(&ALICE, 101, &[&["e", &id(&text)]]);
    let strange = deletion(&BOB, 101, &[&["e", &id(&text)]]);
    let profiles = [100, 101, 102].map(|at| event(&ALICE, 0, at, &[], ""));
    let [first, second, third] = &profiles;
    let mut twins = ["a", "b"].map(|text| event(&ALICE, 0, 100, &[], text));
    twins.sort_by_key(|twin| twin.as_ref().id());
    let [low, high] = &twins;
    let gone = deletion(&ALICE, 101, &[&["a", &address(0, &ALICE, "")]]);
    let named = deletion(&ALICE, 103, &[&["e", &id(third)]]);
    let vanish = event(&ALICE, 62, 101, &[&["relay", "ALL_RELAYS"]], "");
    let again = event(&ALICE, 62, 102, &[&["relay", "ALL_RELAYS"]], "");
    let alice = ALICE.pubkey().to_string();
    let wrap = event(&CAROL, 1059, 100, &[&["p", &alice]], "");
    let of = |events: &[&Event]| events.iter().copied().cloned().collect();
    vec![
        ("deleted, then again", of(&[&text, &delete, &text])),
        ("deleted before it comes", of(&[&delete, &text])),
        ("deleted by another author", of(&[&text, &strange, &text])),
        ("deleted by another author before it comes", of(&[&strange, &text])),
        ("versions in order", of(&[first, second, third, first])),
        ("versions backwards", of(&[third, second, first])),
        ("versions of a second", of(&[high, low, high])),
        ("versions of a second, lower first", of(&[low, high, low])),
        ("address deleted between versions", of(&[first, second, &gone, third, second])),
        ("address deleted first", of(&[&gone, first, second, third])),
        ("address deleted after a newer version", of(&[third, &gone, first])),
        ("newest version deleted by id", of(&[second, third, &named, third, second])),
        ("vanished", of(&[&text, first, &wrap, third, &vanish, &text, &wrap, first])),
        ("vanished first", of(&[&vanish, &text, &wrap, first, third])),
        ("vanished after deleting", of(&[&text, &delete, &again, &text, &delete])),
        ("vanished twice", of(&[&again, third, &vanish, &text, third])),
        ("replaced, vanished, written again", of(&[first, second, &vanish, third, &named])),
    ]
}
