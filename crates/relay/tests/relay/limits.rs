//! What a client may ask at most: the NIP-11 document says it, the reasons say it, and it holds.

use std::time::Duration;

use event::Event;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::harness::{PATIENCE, Relay, event, keys, note, now};
use crate::http_client::{get, metric, raw_request, request};

async fn limitation(relay: &Relay) -> Value {
    let accept = "Accept: application/nostr+json\r\n";
    request(relay.addr, "GET", "/", accept, b"").await.json()["limitation"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_what_is_set() {
    let relay = Relay::start(|settings| {
        let limits = &mut settings.limits;
        limits.message_bytes = 11_000;
        limits.event_bytes = 10_000;
        limits.event_tags = 12;
        limits.subscriptions = 13;
        limits.filters = 14;
        limits.default_limit = 15;
        limits.max_limit = 16;
        limits.created_at_future = Duration::from_secs(17);
        limits.created_at_past = Duration::from_secs(18);
        settings.access.auth_to_write = true;
    })
    .await;
    let expected = json!({
        "max_message_length": 11_000,
        "max_content_length": 10_000 - Event::MIN_BYTES,
        "max_event_tags": 12,
        "max_subscriptions": 13,
        "max_filters": 14,
        "default_limit": 15,
        "max_limit": 16,
        "max_subid_length": 64,
        "min_pow_difficulty": 0,
        "created_at_upper_limit": 17,
        "created_at_lower_limit": 18,
        "auth_required": false,
        "payment_required": false,
        "restricted_writes": true,
    });
    assert_eq!(limitation(&relay).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_counted_by_connection() {
    let relay = Relay::start(|settings| settings.limits.subscriptions = 2).await;
    let mut client = relay.client().await;
    client.subscribe("a", "{}").await;
    client.subscribe("b", "{}").await;
    client.subscribe("b", "{}").await;
    let reason = client.refusal(r#"["REQ","c",{}]"#, "CLOSED", "c").await;
    assert_eq!(reason, "rate-limited: 2 subscriptions are open, no more are allowed");
    client.send(r#"["CLOSE","a"]"#).await;
    client.subscribe("c", "{}").await;
    relay.client().await.subscribe("a", "{}").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_counted_in_all() {
    let relay = Relay::start(|settings| settings.limits.subscriptions_in_all = 2).await;
    let (mut client, mut other) = (relay.client().await, relay.client().await);
    client.subscribe("a", "{}").await;
    other.subscribe("a", "{}").await;
    other.subscribe("a", "{}").await;
    let reason = client.refusal(r#"["REQ","b",{}]"#, "CLOSED", "b").await;
    let expected = "rate-limited: 2 subscriptions of all clients are open, no more are allowed, \
                    try again later";
    assert_eq!(reason, expected);
    client.send(r#"["CLOSE","a"]"#).await;
    client.subscribe("b", "{}").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_none_is_not_in_the_document() {
    let relay = Relay::start(|settings| settings.limits.max_limit = u64::MAX).await;
    let limitation = limitation(&relay).await;
    assert_eq!((limitation.get("max_limit"), &limitation["default_limit"]), (None, &json!(256)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_replaces_the_one_of_its_name() {
    let relay = Relay::start(|settings| settings.limits.filters = 1).await;
    let mut client = relay.client().await;
    client.subscribe("a", "{}").await;
    client.refusal(r#"["REQ","a",{},{}]"#, "CLOSED", "a").await;
    relay.client().await.publish(&note(&keys(1), "")).await;
    client.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_their_values_are_counted() {
    let relay = Relay::start(|settings| {
        settings.limits.filters = 2;
        settings.limits.filter_values = 3;
    })
    .await;
    let mut client = relay.client().await;
    let filters = "blocked: 3 filters, 2 are allowed";
    let values = "blocked: a filter has 4 values, 3 are allowed";
    let author = keys(1).pubkey();
    let many = format!(r##"{{"kinds":[1,2],"authors":["{author}"],"#t":["a"]}}"##);
    for (name, end) in [("REQ", ""), ("COUNT", "")] {
        let text = format!(r#"["{name}","s",{{}},{{}},{{}}{end}]"#);
        assert_eq!(client.refusal(&text, "CLOSED", "s").await, filters);
        let text = format!(r#"["{name}","s",{many}]"#);
        assert_eq!(client.refusal(&text, "CLOSED", "s").await, values);
    }
    client.subscribe("s", r##"{"kinds":[1,2],"#t":["a"]},{"kinds":[1,2,3]}"##).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_as_large_as_allowed_comes_in_and_out() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let large = event(&keys(1), 1, now(), &[], &"x".repeat(250 << 10));
    assert!(client.publish(&large).await.accepted);
    assert_eq!(client.subscribe("s", "{}").await.len(), 1);
}

/// The end of a connection that was not let in.
async fn is_turned_away(relay: &Relay) -> bool {
    let mut stream = TcpStream::connect(relay.addr).await.unwrap();
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the relay ends it");
    bytes.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_in_all() {
    let relay = Relay::wired({
        let mut wiring = crate::harness::Wiring { health_port: true, ..Default::default() };
        wiring.settings.limits.connections = 2;
        wiring
    })
    .await;
    let health = relay.health.unwrap();
    let (a, mut b) = (relay.client().await, relay.client().await);
    assert!(is_turned_away(&relay).await);
    assert_eq!(metric(health, "orly_connections_refused_total").await, 1);
    b.expect_silence().await;
    drop(a);
    while metric(health, "orly_connections").await > 1 {
        tokio::task::yield_now().await;
    }
    relay.client().await.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_counted_by_the_address_a_trusted_proxy_names() {
    let relay = Relay::start(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.limits.connections_per_ip = 2;
    })
    .await;
    let from = |ip: &str| format!("X-Forwarded-For: {ip}\r\n");
    let _a = Client::connect_with(relay.addr, &from("203.0.113.1")).await;
    let b = Client::connect_with(relay.addr, &from("203.0.113.1")).await;
    let _other = Client::connect_with(relay.addr, &from("203.0.113.2")).await;
    let upgrade = "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let head = format!("GET / HTTP/1.1\r\nHost: r\r\n{upgrade}{}\r\n", from("203.0.113.1"));
    let response = raw_request(relay.addr, head.as_bytes()).await;
    assert_eq!(response.status, 429);
    let _c = Client::connect_with(relay.addr, &from("2001:db8::1")).await;
    let _d = Client::connect_with(relay.addr, &from("2001:db8::2")).await;
    let head = head.replace("203.0.113.1", "2001:db8::3");
    assert_eq!(raw_request(relay.addr, head.as_bytes()).await.status, 429, "one network");
    drop(b);
    while metric(relay.addr, "orly_connections").await > 4 {
        tokio::task::yield_now().await;
    }
    Client::connect_with(relay.addr, &from("203.0.113.1")).await.expect_silence().await;
    assert_eq!(get(relay.addr, "/healthz").await.status, 200);
}
