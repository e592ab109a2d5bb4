//! Clients that do not read: what they cost, and what others notice.

use std::collections::HashSet;

use serde_json::json;

use crate::client::{Client, event_message};
use crate::harness::{Relay, Wiring, event, id, ids, keys, note, notes, now};
use crate::http_client::{get, metric};

/// What the kernel may hold for a client, both ends together.
const KERNEL_BYTES: u64 = 8 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn stored_events_wait_in_the_store_for_a_slow_reader() {
    let notes = notes(&keys(1), 1500, &"x".repeat(10_000));
    let relay = Relay::holding(notes.clone()).await;
    let mut slow = Client::connect_narrow(relay.addr).await;
    slow.send(r#"["REQ","s",{"limit":1500}]"#).await;
    // Another one reads it all meanwhile: what was sent beyond that is the slow one's.
    let mut quick = relay.client().await;
    assert_eq!(quick.subscribe("q", r#"{"limit":1500}"#).await.len(), 1500);
    let sent = metric(relay.addr, "orly_bytes_sent_total").await;
    assert!(sent < 1500 * 10_500 + KERNEL_BYTES, "{sent} bytes were sent");
    let found = slow.stored("s").await;
    assert!(found == ids(&notes), "{} events", found.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_new_events_is_closed_and_nobody_else_waits() {
    let relay = Relay::start(|settings| settings.limits.outbox_bytes = 256 << 10).await;
    let mut slow = Client::connect_narrow(relay.addr).await;
    slow.subscribe("s", "{}").await;
    let (mut quick, mut publisher) = (relay.client().await, relay.client().await);
    quick.subscribe("q", "{}").await;
    let mut published = 0;
    while metric(relay.addr, "orly_slow_readers_closed_total").await == 0 {
        assert!(published < 1000, "{published} events wait for one who does not read");
        for _ in 0..20 {
            published += 1;
            let event = note(&keys(1), &format!("{published} {}", "x".repeat(50_000)));
            assert!(publisher.publish(&event).await.accepted);
            assert_eq!(quick.live("q").await, id(&event));
        }
    }
    assert_eq!(metric(relay.addr, "orly_slow_readers_closed_total").await, 1);
    // Whatever came before: it ends.
    slow.close_code().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_is_closed_sooner_when_too_much_waits_in_all() {
    let relay = Relay::start(|settings| {
        settings.limits.outbox_bytes = 1 << 30;
        settings.limits.waiting_bytes = 2 << 20;
    })
    .await;
    let mut slow = Client::connect_narrow(relay.addr).await;
    slow.subscribe("s", "{}").await;
    let (mut quick, mut publisher) = (relay.client().await, relay.client().await);
    quick.subscribe("q", "{}").await;
    let mut published: u64 = 0;
    while metric(relay.addr, "orly_slow_readers_closed_total").await == 0 {
        published += 1;
        assert!(published * 50_000 < KERNEL_BYTES + (4 << 20), "{published} events wait");
        let event = note(&keys(1), &format!("{published} {}", "x".repeat(50_000)));
        assert!(publisher.publish(&event).await.accepted);
        assert_eq!(quick.live("q").await, id(&event));
    }
    slow.close_code().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_on_their_way_wait_for_room_and_are_all_answered() {
    let relay = Relay::start(|settings| settings.limits.waiting_bytes = 64 << 10).await;
    let mut client = relay.client().await;
    let notes = notes(&keys(1), 60, &"x".repeat(20_000));
    for note in &notes {
        client.send(event_message(note)).await;
    }
    let mut left: HashSet<String> = notes.iter().map(id).collect();
    while !left.is_empty() {
        let answer = client.next().await;
        assert_eq!((&answer[0], &answer[2]), (&json!("OK"), &json!(true)), "{answer}");
        assert!(left.remove(answer[1].as_str().unwrap()), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_and_reads_no_answers_is_closed() {
    let relay = Relay::start(|settings| {
        settings.limits.outbox_bytes = 64 << 10;
        settings.limits.message_bytes = 64 << 10;
    })
    .await;
    let mut client = Client::connect_narrow(relay.addr).await;
    let mut sent = 0;
    while client.feed("[]").await.is_ok() {
        sent += 1;
        assert!(sent < 3_000_000, "answers to {sent} messages wait");
    }
    assert_eq!(metric(relay.addr, "orly_slow_readers_closed_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_its_answers_late_gets_them_all() {
    let relay = Relay::start(|_| {}).await;
    let mut client = Client::connect_narrow(relay.addr).await;
    client.subscribe("s", "{}").await;
    let events = notes(&keys(1), 6000, "");
    for event in &events {
        client.feed(event_message(event)).await.unwrap();
    }
    client.flush().await.unwrap();
    let (mut answered, mut delivered) = (HashSet::new(), HashSet::new());
    while answered.len() < events.len() || delivered.len() < events.len() {
        let message = client.next().await;
        if message[0] == "OK" {
            assert_eq!(message[2], json!(true), "{message}");
            assert!(answered.insert(message[1].to_string()), "{message}");
        } else {
            assert!(delivered.insert(message[2]["id"].to_string()), "{message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_takes_its_subscriptions_along() {
    let mut wiring = Wiring { health_port: true, ..Wiring::default() };
    wiring.settings.limits.connections = 3;
    let relay = Relay::wired(wiring).await;
    let health = relay.health.unwrap();
    for _ in 0..10 {
        let mut client = relay.client().await;
        client.subscribe("s", r##"{"#t":["a","b"]},{"kinds":[1]}"##).await;
        drop(client);
        while metric(health, "orly_connections").await > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(metric(health, "orly_subscriptions").await, 0);
    }
    let mut publisher = relay.client().await;
    publisher.publish(&event(&keys(1), 1, now(), &[&["t", "a"]], "")).await;
    assert_eq!(metric(health, "orly_events_delivered_total").await, 0);
    assert!(get(health, "/healthz").await.status == 200);
}
