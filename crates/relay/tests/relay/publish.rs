//! EVENT and its OK.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;

use crate::client::{Answer, event_message};
use crate::harness::{Relay, event, id, ids, keys, note, notes, now};

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_stored_once() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let note = note(&keys(1), "hello");
    assert_eq!(client.publish(&note).await, Answer::accepted());
    let again = Answer::accepted_as("duplicate: already have this event");
    assert_eq!(client.publish(&note).await, again);
    assert_eq!(client.subscribe("s", "{}").await, ids([&note]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_replaces_and_an_older_one_is_not_stored() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let old = event(&keys(1), 0, now() - 10, &[], "old");
    let new = event(&keys(1), 0, now() - 5, &[], "new");
    let older = event(&keys(1), 0, now() - 20, &[], "older");
    assert_eq!(client.publish(&old).await, Answer::accepted());
    assert_eq!(client.publish(&new).await, Answer::accepted());
    let superseded = Answer::accepted_as("duplicate: a newer version is stored");
    assert_eq!(client.publish(&older).await, superseded);
    assert_eq!(client.publish(&old).await, superseded);
    assert_eq!(client.subscribe("s", r#"{"kinds":[0]}"#).await, ids([&new]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_author_deleted_is_gone_and_stays_refused() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let (author, other) = (keys(1), keys(2));
    let note = note(&author, "hello");
    client.publish(&note).await;
    let tags: &[&[&str]] = &[&["e", &id(&note)]];
    client.publish(&event(&other, 5, now(), tags, "")).await;
    assert_eq!(client.subscribe("s", r#"{"kinds":[1]}"#).await, ids([&note]));
    client.publish(&event(&author, 5, now(), tags, "")).await;
    client.send(r#"["CLOSE","s"]"#).await;
    assert!(client.subscribe("s", r#"{"kinds":[1]}"#).await.is_empty());
    let refused = Answer::refused("blocked: this event was deleted");
    assert_eq!(client.publish(&note).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gift_wrap_is_deleted_by_whom_it_is_for() {
    let relay = Relay::start(|_| {}).await;
    let (party, other) = (keys(2).pubkey().to_string(), keys(3).pubkey().to_string());
    let wraps = [&party, &other].map(|to| event(&keys(1), 1059, now(), &[&["p", to]], ""));
    let note = note(&keys(1), &party);
    let mut client = relay.client().await;
    for event in wraps.iter().chain([&note]) {
        client.publish(event).await;
    }
    let [mine, others, note] = [&wraps[0], &wraps[1], &note].map(id);
    let named: [&[&str]; 3] = [&["e", &mine], &["e", &others], &["e", &note]];
    let not_meant: &[&[&str]] = &[&["e", &mine], &["k", "1"]];
    client.publish(&event(&keys(2), 5, now(), not_meant, "")).await;
    client.authenticate(&keys(1)).await;
    assert_eq!(client.count(r#"{"kinds":[1,1059]}"#).await, 3);
    client.publish(&event(&keys(2), 5, now(), &named, "")).await;
    let mut left = client.subscribe("s", r#"{"kinds":[1,1059]}"#).await;
    left.sort();
    let mut expected = vec![others, note];
    expected.sort();
    assert_eq!(left, expected);
    client.send(r#"["CLOSE","s"]"#).await;
    let refused = Answer::refused("blocked: this event was deleted");
    assert_eq!(client.publish(&wraps[0]).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_is_refused() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let expiration = (now() - 1).to_string();
    let gone = event(&keys(1), 1, now() - 10, &[&["expiration", &expiration]], "");
    let refused = Answer::refused("invalid: this event has expired");
    assert_eq!(client.publish(&gone).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ephemeral_event_is_accepted_and_not_stored() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let ephemeral = event(&keys(1), 20_001, now(), &[], "");
    assert_eq!(client.publish(&ephemeral).await, Answer::accepted());
    assert!(client.subscribe("s", r#"{"kinds":[20001]}"#).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asked_to_vanish_is_forgotten() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let old = event(&keys(1), 1, now() - 10, &[], "");
    client.publish(&old).await;
    client.publish(&event(&keys(1), 62, now(), &[&["relay", "ALL_RELAYS"]], "")).await;
    let refused = Answer::refused("blocked: its author asked this relay to forget them");
    assert_eq!(client.publish(&old).await, refused);
    assert!(client.subscribe("s", r#"{"kinds":[1]}"#).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_event_is_refused_by_its_claimed_id() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let note = note(&keys(1), "hello");
    let sig = note.as_ref().sig().to_string();
    let other_sig = crate::harness::note(&keys(2), "hello").as_ref().sig().to_string();
    client.send(event_message(&note).replace(&sig, &other_sig)).await;
    let refused = Answer::refused("invalid: sig is not a valid signature of the id by pubkey");
    assert_eq!(client.answer_to(&id(&note)).await, refused);
    client.send(event_message(&note).replace("hello", "hullo")).await;
    let refused = Answer::refused("invalid: id is not the hash of the event");
    assert_eq!(client.answer_to(&id(&note)).await, refused);
    assert!(client.subscribe("s", "{}").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_event_is_refused_by_its_id_if_it_has_one() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let note = note(&keys(1), "hello");
    client.send(event_message(&note).replace("\"kind\":1", "\"kind\":70000")).await;
    let refused = Answer::refused("invalid: kind: 70000 is more than 65535");
    assert_eq!(client.answer_to(&id(&note)).await, refused);
    client.send(event_message(&note).replace(&id(&note), "12")).await;
    let notice = json!(["NOTICE", "invalid: id: expected 64 lower-case hex digits"]);
    assert_eq!(client.next().await, notice);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_an_event_are_named() {
    let relay = Relay::start(|settings| {
        settings.limits.event_bytes = 1000;
        settings.limits.event_tags = 2;
        settings.limits.created_at_past = Duration::from_secs(3600);
    })
    .await;
    let mut client = relay.client().await;
    let author = keys(1);
    let tag: &[&str] = &["t", "a"];
    let cases = [
        (event(&author, 1, now(), &[], &"x".repeat(1000)), "invalid: event has 1", "1000 are"),
        (event(&author, 1, now(), &[tag; 3], ""), "invalid: event has 3 tags", "2 are allowed"),
        (event(&author, 1, now() + 2000, &[], ""), "invalid: created_at is", "900 s are allowed"),
        (event(&author, 1, now() - 4000, &[], ""), "invalid: created_at is", "3600 s are allowed"),
        (event(&author, 22242, now(), &[], ""), "invalid: kind 22242", "AUTH messages only"),
    ];
    for (event, start, end) in cases {
        let answer = client.publish(&event).await;
        assert!(!answer.accepted);
        assert!(answer.reason.starts_with(start) && answer.reason.contains(end), "{answer:?}");
    }
    assert_eq!(client.publish(&event(&author, 1, now(), &[tag; 2], "")).await, Answer::accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_events_at_once_each_get_their_ok() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let events = notes(&keys(1), 2000, "");
    for event in &events {
        client.feed(event_message(event)).await.unwrap();
    }
    client.flush().await.unwrap();
    let mut missing: HashSet<String> = ids(&events).into_iter().collect();
    while !missing.is_empty() {
        let message = client.next().await;
        assert_eq!((&message[0], &message[2]), (&json!("OK"), &json!(true)), "{message}");
        assert!(missing.remove(message[1].as_str().unwrap()), "answered once: {message}");
    }
    assert_eq!(client.count("{}").await, 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_comes_back_as_it_was_signed() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let content = "quotes \" \\ / line\nbreak \u{1} \u{7f} é 😀";
    let event = event(&keys(1), 1, now(), &[&["t", content], &[]], content);
    client.publish(&event).await;
    client.send(r#"["REQ","s",{}]"#).await;
    let message = client.next().await;
    assert_eq!(message[2]["content"], content);
    assert_eq!(message[2]["tags"], json!([["t", content], []]));
    let served = event::Event::from_json(&message[2].to_string()).unwrap();
    assert_eq!(event::Verifier::default().verify(served.as_ref()), Ok(()));
}
