//! Which address a client has, and whether it may connect.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use relay::Guarding;

use crate::client::Client;
use crate::harness::Relay;
use crate::http_client::{metric, request};

async fn status_from(addr: SocketAddr, headers: &str) -> u16 {
    request(addr, "GET", "/healthz", headers, b"").await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_address_is_turned_away() {
    let relay =
        Relay::start(|settings| settings.access.ip_blacklist = vec!["127.".parse().unwrap()]).await;
    assert_eq!(status_from(relay.addr, "").await, 403);
    // What a client says of itself counts for nothing.
    assert_eq!(status_from(relay.addr, "X-Forwarded-For: 203.0.113.1\r\n").await, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_addresses_come_in_where_there_is_a_list() {
    let relay =
        Relay::start(|settings| settings.access.ip_whitelist = vec!["203.0.113.".parse().unwrap()])
            .await;
    assert_eq!(status_from(relay.addr, "").await, 403);
    assert_eq!(status_from(relay.addr, "X-Forwarded-For: 203.0.113.1\r\n").await, 403);
    let relay =
        Relay::start(|settings| settings.access.ip_whitelist = vec!["127.0.0.1".parse().unwrap()])
            .await;
    relay.client().await.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_is_believed_in_what_it_added_itself() {
    let relay = Relay::start(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.access.ip_blacklist = vec!["203.0.113.9".parse().unwrap()];
    })
    .await;
    let (good, bad) = ("198.51.100.1", "203.0.113.9");
    let cases = [
        (format!("X-Forwarded-For: {bad}\r\n"), 403),
        (format!("X-Forwarded-For: {good}, {bad}\r\n"), 403),
        (format!("X-Forwarded-For: {good}\r\nX-Forwarded-For: {bad}\r\n"), 403),
        (format!("X-Forwarded-For: {bad}, {good}\r\n"), 200),
        (format!("X-Forwarded-For: {bad}\r\nX-Forwarded-For: {good}\r\n"), 200),
        ("X-Forwarded-For: nonsense\r\n".into(), 200),
        (String::new(), 200),
    ];
    for (headers, status) in cases {
        assert_eq!(status_from(relay.addr, &headers).await, status, "{headers}");
    }
    assert_eq!(metric(relay.addr, "orly_connections_refused_total").await, 3);
    Client::connect_with(relay.addr, "X-Forwarded-For: 198.51.100.1\r\n")
        .await
        .expect_silence()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_behind_proxies_are_looked_through() {
    let relay = Relay::start(|settings| {
        let trusted = ["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"];
        settings.trusted_proxies = trusted.map(|network| network.parse().unwrap()).to_vec();
        settings.access.ip_blacklist = vec!["203.0.113.9".parse().unwrap()];
    })
    .await;
    let cases = [
        ("203.0.113.9, 10.1.1.1", 403),
        ("203.0.113.9, fd00::1, 10.1.1.1", 403),
        ("203.0.113.9, 198.51.100.1, 10.1.1.1", 200),
        ("203.0.113.9, nonsense, 10.1.1.1", 200),
        ("10.2.2.2, 10.1.1.1", 200),
    ];
    for (list, status) in cases {
        let header = format!("X-Forwarded-For: {list}\r\n");
        assert_eq!(status_from(relay.addr, &header).await, status, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_waits_and_crawlers_are_refused() {
    let relay = Relay::start(|settings| {
        settings.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        settings.guarding = Some(Guarding {
            pages_per_minute: NonZeroU32::new(2).unwrap(),
            sockets_per_minute: NonZeroU32::new(1).unwrap(),
            refuses_crawlers: true,
        });
    })
    .await;
    let ask = async |headers: &str| request(relay.addr, "GET", "/", headers, b"").await;
    let from = "X-Forwarded-For: 203.0.113.1\r\n";
    for status in [200, 200, 429] {
        assert_eq!(ask(from).await.status, status);
    }
    assert!(ask(from).await.header("retry-after").is_some());
    assert_eq!(status_from(relay.addr, from).await, 200, "health is not counted");
    assert_eq!(ask("X-Forwarded-For: 203.0.113.2\r\n").await.status, 200);
    let crawler = "X-Forwarded-For: 203.0.113.3\r\nUser-Agent: GPTBot/1.2\r\n";
    assert_eq!(ask(crawler).await.status, 403);
    for _ in 0..5 {
        assert_eq!(ask("").await.status, 200, "this machine is not counted");
    }
    Client::connect_with(relay.addr, from).await.expect_silence().await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    assert_eq!(ask(&format!("{from}{upgrade}")).await.status, 429);
    assert_eq!(metric(relay.addr, "orly_requests_refused_total").await, 4);
}
