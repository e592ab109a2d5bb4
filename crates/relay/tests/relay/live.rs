//! New events on their way to those who subscribed.

use crate::client::event_message;
use crate::harness::{Relay, event, id, ids, keys, note, notes, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_event_reaches_each_subscription_it_matches() {
    let relay = Relay::start(|_| {}).await;
    let (mut a, mut b) = (relay.client().await, relay.client().await);
    let author = keys(1).pubkey();
    a.subscribe("author", &format!(r#"{{"authors":["{author}"]}}"#)).await;
    b.subscribe("tag", r##"{"#t":["x"]},{"kinds":[1]}"##).await;
    b.subscribe("other", r#"{"kinds":[7]}"#).await;
    let event = event(&keys(1), 1, now(), &[&["t", "x"]], "");
    relay.client().await.publish(&event).await;
    assert_eq!(a.live("author").await, id(&event));
    assert_eq!(b.live("tag").await, id(&event));
    b.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_publisher_gets_its_own_event() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    client.subscribe("s", "{}").await;
    let note = note(&keys(1), "");
    client.send(event_message(&note)).await;
    let mut names = [client.next().await[0].clone(), client.next().await[0].clone()];
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["EVENT", "OK"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_zero_asks_for_new_events_only() {
    let relay = Relay::holding(notes(&keys(1), 5, "")).await;
    let mut client = relay.client().await;
    assert!(client.subscribe("s", r#"{"limit":0}"#).await.is_empty());
    let note = note(&keys(1), "new");
    relay.client().await.publish(&note).await;
    assert_eq!(client.live("s").await, id(&note));
}

#[tokio::test(flavor = "multi_thread")]
async fn ephemeral_events_are_delivered_and_never_stored() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    client.subscribe("s", r#"{"kinds":[20001]}"#).await;
    let ephemeral = event(&keys(1), 20_001, now(), &[], "");
    relay.client().await.publish(&ephemeral).await;
    assert_eq!(client.live("s").await, id(&ephemeral));
    assert!(client.subscribe("t", r#"{"kinds":[20001]}"#).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_write_into_the_store_is_delivered() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    client.subscribe("s", "{}").await;
    let notes = notes(&keys(1), 3, "");
    relay.store(notes.clone()).await;
    for note in &notes {
        assert_eq!(client.live("s").await, id(note));
    }
}

/// Otherwise a client that asks for ten gets more, and in the wrong order.
#[tokio::test(flavor = "multi_thread")]
async fn what_had_its_ok_is_nothing_new_to_a_later_subscription() {
    let relay = Relay::start(|_| {}).await;
    let (mut publisher, mut client) = (relay.client().await, relay.client().await);
    for round in 0..50 {
        publisher.publish(&note(&keys(1), &round.to_string())).await;
        assert!(client.subscribe("s", r#"{"limit":0}"#).await.is_empty());
        client.send(r#"["CLOSE","s"]"#).await;
        client.expect_silence().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_are_not_delivered_again() {
    let relay = Relay::start(|_| {}).await;
    let (mut client, mut other) = (relay.client().await, relay.client().await);
    client.subscribe("s", "{}").await;
    let note = note(&keys(1), "");
    other.publish(&note).await;
    other.publish(&note).await;
    assert_eq!(client.live("s").await, id(&note));
    client.expect_silence().await;
}

/// While a long query runs, events are stored that it finds or does not find, depending on when it
/// looks: each has to come once, by one way or the other.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_while_its_query_runs_comes_exactly_once() {
    let author = keys(1);
    let stored = notes(&author, 400, &"x".repeat(600));
    let relay = Relay::holding(stored.clone()).await;
    let mut expected = ids(&stored);
    let (mut client, mut publisher) = (relay.client().await, relay.client().await);
    for round in 0..25_u64 {
        // Newest first: those from the past are found late in the query, or by an old snapshot not at all.
        let new: Vec<_> = (0..8)
            .map(|at| {
                let created_at = if at % 2 == 0 { now() } else { now() - 100_000 - round };
                event(&author, 1, created_at, &[], &format!("{round} {at}"))
            })
            .collect();
        client.feed(format!(r#"["REQ","{round}",{{"limit":9000}}]"#)).await.unwrap();
        new.iter().for_each(|event| expected.push(id(event)));
        let publish = async {
            for event in &new {
                publisher.feed(event_message(event)).await.unwrap();
            }
            publisher.flush().await.unwrap();
            for _ in &new {
                assert_eq!(publisher.next().await[2], true);
            }
        };
        let read = async {
            client.flush().await.unwrap();
            let (mut found, mut is_stored) = (Vec::new(), false);
            while found.len() < expected.len() || !is_stored {
                let message = client.next().await;
                match message[0].as_str().unwrap() {
                    "EVENT" => found.push(message[2]["id"].as_str().unwrap().to_owned()),
                    _ => is_stored = true,
                }
            }
            found
        };
        let (mut found, ()) = tokio::join!(read, publish);
        client.send(format!(r#"["CLOSE","{round}"]"#)).await;
        client.expect_silence().await;
        found.sort();
        expected.sort();
        assert!(found == expected, "round {round}: {} events, {}", found.len(), expected.len());
    }
}

/// A query with a limit finds the newest of those that are also delivered: none of the others may
/// make the subscription forget that.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_short_query_found_is_not_delivered_as_well() {
    let relay = Relay::start(|_| {}).await;
    let (mut client, mut publisher) = (relay.client().await, relay.client().await);
    for round in 0..25 {
        let new: Vec<_> =
            (0..30).map(|at| event(&keys(1), 1, now(), &[], &format!("{round} {at}"))).collect();
        for event in &new {
            publisher.feed(event_message(event)).await.unwrap();
        }
        publisher.flush().await.unwrap();
        client.send(format!(r#"["REQ","{round}",{{"limit":3}}]"#)).await;
        for _ in &new {
            assert_eq!(publisher.next().await[2], true);
        }
        // What comes last closes the round: it is delivered behind all the others.
        let last = event(&keys(1), 1, now() - 1000, &[], &format!("last of {round}"));
        publisher.publish(&last).await;
        let mut found = Vec::new();
        while found.last() != Some(&id(&last)) {
            let message = client.next().await;
            if message[0] == "EVENT" {
                found.push(message[2]["id"].as_str().unwrap().to_owned());
            }
        }
        client.send(format!(r#"["CLOSE","{round}"]"#)).await;
        client.expect_silence().await;
        let count = found.len();
        found.sort();
        found.dedup();
        assert_eq!(found.len(), count, "round {round}: an event came twice");
    }
}

/// An event that waits for a subscription is not for the one that takes its name meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_replaced_subscription_asked_for_comes_under_its_name() {
    let relay = Relay::start(|_| {}).await;
    let (mut client, mut publisher) = (relay.client().await, relay.client().await);
    for round in 0..30 {
        client.send(r#"["REQ","s",{"kinds":[1],"limit":0}]"#).await;
        let new: Vec<_> =
            (0..20).map(|at| event(&keys(1), 1, now(), &[], &format!("{round} {at}"))).collect();
        for event in &new {
            publisher.feed(event_message(event)).await.unwrap();
        }
        publisher.flush().await.unwrap();
        // Answered in order: after this EOSE nothing of kind 1 may come.
        client.send(r#"["REQ","s",{"kinds":[7]}]"#).await;
        let mut eose = 0;
        for _ in &new {
            assert_eq!(publisher.next().await[2], true);
        }
        let last = event(&keys(1), 7, now(), &[], &round.to_string());
        publisher.publish(&last).await;
        loop {
            let message = client.next().await;
            if message[0] == "EOSE" {
                eose += 1;
            } else if eose == 2 {
                assert_eq!(message[2]["kind"], 7, "round {round}");
            }
            if message[2]["id"] == id(&last) {
                break;
            }
        }
    }
}
