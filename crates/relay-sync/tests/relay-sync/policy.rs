//! What is neither offered nor taken.

use std::sync::Arc;

use event::Keys;
use relay_sync::{Admission, Direction, Fruitless, PrivateKinds};
use store::conformance::{ALICE, BOB, CAROL, event, note};

use crate::house::{House, ids_of, options};

#[tokio::test]
async fn private_kinds_are_offered_to_nobody() {
    let (here, there) = (House::new().await, House::new().await);
    let [message, wrap] = [4, 1059].map(|kind| event(&ALICE, kind, 1000, &[&["p", "x"]], ""));
    let note = note(&ALICE, 1000, "x");
    here.take(&[&message, &note]).await;
    there.take(&[&wrap]).await;
    let report = here.sync(&there.url, Direction::Both).await;
    assert_eq!((report.have, report.need, report.sent), (1, 0, 1));
    assert_eq!(here.ids().await, ids_of(&[&message, &note]));
    assert_eq!(there.ids().await, ids_of(&[&wrap, &note]));
}

#[tokio::test]
async fn private_kinds_move_between_relays_that_trust_each_other() {
    let here = House::new().await;
    let open = |settings: &mut relay::Settings| settings.access.privileged_open = true;
    let there = House::with(open, Default::default()).await;
    let [message, wrap] = [4, 1059].map(|kind| event(&ALICE, kind, 1000, &[&["p", "x"]], ""));
    here.take(&[&message]).await;
    there.take(&[&wrap]).await;
    let mut options = options(Direction::Both);
    options.private_kinds = PrivateKinds::Include;
    here.try_sync(&there.url, options).await.unwrap();
    assert_eq!(here.ids().await, ids_of(&[&message, &wrap]));
    assert_eq!(there.ids().await, here.ids().await);
}

#[tokio::test]
async fn private_kinds_that_a_peer_gives_are_taken_once() {
    let here = House::new().await;
    let open = |settings: &mut relay::Settings| settings.access.privileged_open = true;
    let there = House::with(open, Default::default()).await;
    let wrap = event(&ALICE, 1059, 1000, &[&["p", "x"]], "");
    there.take(&[&wrap]).await;
    let report = here.sync(&there.url, Direction::Both).await;
    assert_eq!((report.need, report.stored), (1, 1));
    let again = here.sync(&there.url, Direction::Both).await;
    assert_eq!(
        (again.need, again.have, again.fetched),
        (0, 0, 0),
        "it is here, though not part of our set"
    );
}

#[tokio::test]
async fn a_key_opens_what_its_owner_may_read() {
    let (here, there) = (House::new().await, House::new().await);
    let to_bob = event(&ALICE, 1059, 1000, &[&["p", &BOB.pubkey().to_string()]], "");
    let to_carol = event(&ALICE, 1059, 1000, &[&["p", &CAROL.pubkey().to_string()]], "");
    there.take(&[&to_bob, &to_carol]).await;
    let mut options = options(Direction::Down);
    options.client.keys = Some(Keys::clone(&BOB));
    let report = here.try_sync(&there.url, options).await.unwrap();
    assert_eq!((report.need, report.stored), (1, 1));
    assert_eq!(here.ids().await, ids_of(&[&to_bob]));
}

#[tokio::test]
async fn a_trusted_relay_is_given_private_kinds() {
    let here = House::new().await;
    let trust = |settings: &mut relay::Settings| settings.access.full_sync = vec![BOB.pubkey()];
    let there = House::with(trust, Default::default()).await;
    let to_carol = event(&ALICE, 1059, 1000, &[&["p", &CAROL.pubkey().to_string()]], "");
    there.take(&[&to_carol]).await;
    assert_eq!(here.sync(&there.url, Direction::Down).await.need, 0);
    let mut options = options(Direction::Down);
    options.client.keys = Some(Keys::clone(&BOB));
    here.try_sync(&there.url, options).await.unwrap();
    assert_eq!(here.ids().await, ids_of(&[&to_carol]));
}

#[tokio::test]
async fn a_relay_that_wants_authentication_gets_it_or_is_named() {
    let here = House::new().await;
    let lock = |settings: &mut relay::Settings| settings.access.auth_required = true;
    let there = House::with(lock, Default::default()).await;
    let note = note(&ALICE, 1000, "x");
    there.take(&[&note]).await;
    let error = here.try_sync(&there.url, options(Direction::Down)).await.unwrap_err();
    assert!(error.failure.to_string().contains("wants authentication"), "{}", error.failure);
    let mut options = options(Direction::Down);
    options.client.keys = Some(Keys::clone(&BOB));
    here.try_sync(&there.url, options).await.unwrap();
    assert_eq!(here.ids().await, ids_of(&[&note]));
}

#[tokio::test]
async fn protected_events_are_neither_given_nor_taken() {
    let (here, there) = (House::new().await, House::new().await);
    let [ours, theirs] = [&ALICE, &BOB].map(|author| event(author, 1, 1000, &[&["-"]], ""));
    here.take(&[&ours]).await;
    there.take(&[&theirs]).await;
    let report = here.sync(&there.url, Direction::Both).await;
    assert_eq!((report.withheld, report.sent, report.stored), (1, 0, 0));
    assert!(report.moved_all(Direction::Both));
    assert_eq!(here.ids().await, ids_of(&[&ours]));
}

#[tokio::test]
async fn what_the_operator_does_not_admit_is_not_taken_and_not_fetched_each_time() {
    let (here, there) = (House::new().await, House::new().await);
    let [a, b] = ["a", "b"].map(|text| note(&ALICE, 1000, text));
    there.take(&[&a, &b]).await;
    let refused = a.as_ref().id();
    let mut options = options(Direction::Down);
    let check = move |event: event::EventRef<'_>| {
        if event.id() == refused { Err("spam".into()) } else { Ok(()) }
    };
    options.admission = Some(Admission::new(check));
    options.fruitless = Some(Arc::new(Fruitless::default()));
    let report = here.try_sync(&there.url, options.clone()).await.unwrap();
    assert_eq!(report.passed_over.iter().collect::<Vec<_>>(), [("spam", 1)]);
    assert_eq!(here.ids().await, ids_of(&[&b]));
    let again = here.try_sync(&there.url, options).await.unwrap();
    assert_eq!((again.need, again.fetched), (0, 0));
}
