//! Pages, health, figures, and handshakes that fail.

use serde_json::json;

use crate::client::Answer;
use crate::harness::{Relay, Wiring, keys, note};
use crate::http_client::{Response, get, metric, raw_request, request};

async fn document(relay: &Relay) -> Response {
    request(relay.addr, "GET", "/", "Accept: application/nostr+json\r\n", b"").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_who_this_is() {
    let relay = Relay::start(|settings| {
        settings.about.name = "A relay".into();
        settings.about.description = "For \"tests\"".into();
        settings.about.contact = Some("mailto:a@example.com".into());
        settings.about.icon = Some("https://example.com/icon.png".into());
        settings.about.operator = Some(keys(1).pubkey());
        settings.about.identity.set(keys(2).pubkey()).unwrap();
    })
    .await;
    let response = document(&relay).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/nostr+json"));
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert!(response.header("access-control-allow-methods").unwrap().contains("get"));
    assert!(response.header("access-control-allow-headers").is_some());
    let document = response.json();
    assert_eq!(document["name"], "A relay");
    assert_eq!(document["description"], "For \"tests\"");
    assert_eq!(document["contact"], "mailto:a@example.com");
    assert_eq!(document["icon"], "https://example.com/icon.png");
    assert_eq!(document["pubkey"], keys(1).pubkey().to_string());
    assert_eq!(document["self"], keys(2).pubkey().to_string());
    assert!(document["software"].is_string() && document["version"].is_string());
    let accept = "Accept: text/html;q=0.5, Application/Nostr+JSON\r\n";
    let elsewhere = request(relay.addr, "GET", "/behind/a/proxy", accept, b"").await;
    assert_eq!(elsewhere.json(), document);
}

#[tokio::test(flavor = "multi_thread")]
async fn nip77_is_named_only_where_somebody_answers_it() {
    let plain = Relay::start(|_| {}).await;
    let nips = document(&plain).await.json()["supported_nips"].clone();
    for nip in [1, 2, 4, 9, 11, 17, 22, 28, 40, 42, 45, 59, 62, 65, 70] {
        assert!(nips.as_array().unwrap().contains(&json!(nip)), "NIP-{nip}");
    }
    assert!(!nips.as_array().unwrap().contains(&json!(77)));
    assert!(!get(plain.addr, "/").await.body.contains("\"77\""));
    let reconciling = Relay::reconciling(vec![], |_| {}).await;
    let nips = document(&reconciling).await.json()["supported_nips"].clone();
    assert!(nips.as_array().unwrap().contains(&json!(77)));
    assert!(get(reconciling.addr, "/").await.body.contains("\"77\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_landing_page_names_the_relay_and_escapes_it() {
    let relay = Relay::start(|settings| {
        settings.about.name = "<b>Mine</b>".into();
        settings.about.url = Some("wss://relay.example".into());
    })
    .await;
    let page = get(relay.addr, "/").await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains("&lt;b&gt;Mine&lt;/b&gt;") && !page.body.contains("<b>Mine"));
    assert!(page.body.contains("wss://relay.example") && page.body.contains("NIP-01"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_on_both_ports() {
    let relay = Relay::wired(Wiring { health_port: true, ..Wiring::default() }).await;
    let health = relay.health.unwrap();
    for (addr, path) in [(relay.addr, "/healthz"), (health, "/healthz"), (health, "/health")] {
        let response = get(addr, path).await;
        assert_eq!((response.status, &*response.body), (200, "ok"));
    }
    assert_eq!(get(health, "/metrics").await.status, 200);
    assert_eq!(get(health, "/").await.status, 404);
    assert_eq!(get(health, "/api/export").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_port_ends_the_relay_only_if_it_may() {
    for may in [false, true] {
        let mut wiring = Wiring { health_port: true, ..Wiring::default() };
        wiring.settings.ends_by_http = may;
        let relay = Relay::wired(wiring).await;
        assert_eq!(get(relay.addr, "/shutdown").await.status, 404);
        let response = request(relay.health.unwrap(), "POST", "/shutdown", "", b"").await;
        assert_eq!(
            (response.status, relay.shutdown.is_cancelled()),
            (if may { 200 } else { 404 }, may)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_move_and_can_be_parsed() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let note = note(&keys(1), "");
    client.publish(&note).await;
    client.publish(&note).await;
    let forged = note.as_ref().to_json().replace("\"content\":\"\"", "\"content\":\"x\"");
    client
        .send(format!(
            r#"["EVENT",{}]"#,
            forged.replace(&crate::harness::id(&note), &"0".repeat(64))
        ))
        .await;
    let refused = Answer::refused("invalid: id is not the hash of the event");
    assert_eq!(client.answer_to(&"0".repeat(64)).await, refused);
    client.subscribe("s", "{}").await;
    let figures = [
        ("orly_connections", 1),
        ("orly_connections_opened_total", 1),
        ("orly_subscriptions", 1),
        ("orly_events_received_total", 3),
        ("orly_events_stored_total", 1),
        ("orly_events_refused_total{reason=\"invalid\"}", 1),
        ("orly_queries_total", 1),
        ("orly_query_events_total", 1),
        ("orly_store_events", 1),
        ("orly_store_read_only", 0),
    ];
    for (name, value) in figures {
        assert_eq!(metric(relay.addr, name).await, value, "{name}");
    }
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let classic = "text/plain; version=0.0.4; charset=utf-8";
    let formats = [("", classic), ("*/*", classic), (openmetrics, openmetrics)];
    for (accept, kind) in formats {
        let accept = format!("Accept: {accept}\r\n");
        let page = request(relay.addr, "GET", "/metrics", &accept, b"").await;
        assert_eq!(page.header("content-type"), Some(kind));
        for line in page.body.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(name.starts_with("orly_") && value.parse::<f64>().is_ok(), "{line}");
        }
        assert_eq!(page.body.ends_with("# EOF\n"), kind == openmetrics);
        assert_eq!(page.body.contains("# TYPE orly_queries_total counter\n"), kind == classic);
    }
    assert_eq!(request(relay.addr, "HEAD", "/metrics", "", b"").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_404_and_a_wrong_method_405() {
    let relay = Relay::start(|_| {}).await;
    assert_eq!(get(relay.addr, "/nothing").await.status, 404);
    assert_eq!(get(relay.addr, "/api/nothing").await.status, 404);
    let cases =
        [("POST", "/", "get"), ("DELETE", "/healthz", "get"), ("GET", "/api/import", "post")];
    for (method, path, allowed) in cases {
        let response = request(relay.addr, method, path, "", b"").await;
        assert_eq!(response.status, 405, "{method} {path}");
        assert!(response.header("allow").unwrap().contains(allowed));
    }
    let head = request(relay.addr, "HEAD", "/healthz", "", b"").await;
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(request(relay.addr, "OPTIONS", "/", "", b"").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_is_none_is_refused_with_the_reason() {
    let relay = Relay::start(|_| {}).await;
    let (connection, upgrade) = ("Connection: Upgrade\r\n", "Upgrade: websocket\r\n");
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (version, old) = ("Sec-WebSocket-Version: 13\r\n", "Sec-WebSocket-Version: 8\r\n");
    let short = "Sec-WebSocket-Key: dGhl\r\n";
    let cases = [
        ("GET", [connection, upgrade, "", version], 400, "Sec-WebSocket-Key is missing"),
        ("GET", [connection, upgrade, short, version], 400, "not 16 bytes"),
        ("GET", [connection, upgrade, key, old], 426, "version 13 is needed"),
        ("GET", [connection, upgrade, key, ""], 426, "version 13 is needed"),
        ("GET", ["Connection: close\r\n", upgrade, key, version], 400, "Connection: Upgrade"),
        ("POST", [connection, upgrade, key, version], 405, "method not allowed"),
    ];
    for (method, headers, status, text) in cases {
        let head = format!(
            "{method} / HTTP/1.1\r\nHost: r\r\nConnection: close\r\n{}\r\n",
            headers.concat()
        );
        let response = raw_request(relay.addr, head.as_bytes()).await;
        assert_eq!(response.status, status, "{headers:?}");
        assert!(response.body.contains(text), "{headers:?}: {}", response.body);
        if status == 426 {
            assert_eq!(response.header("sec-websocket-version"), Some("13"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_ends_the_connection() {
    let relay = Relay::start(|_| {}).await;
    let response = raw_request(relay.addr, b"\x16\x03\x01 this is TLS\r\n\r\n").await;
    assert_eq!(response.status, 400);
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    assert_eq!(raw_request(relay.addr, long.as_bytes()).await.status, 431);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_is_open_to_the_origins_that_are_set() {
    let relay =
        Relay::start(|settings| settings.cors_origins = Some(vec!["https://a.example".into()]))
            .await;
    let allowed = async |origin: &str| {
        let headers = format!("Origin: {origin}\r\n");
        let response = request(relay.addr, "OPTIONS", "/api/export", &headers, b"").await;
        response.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed("https://a.example").await.as_deref(), Some("https://a.example"));
    assert_eq!(allowed("https://b.example").await, None);
    let closed = Relay::start(|_| {}).await;
    let response =
        request(closed.addr, "OPTIONS", "/api/export", "Origin: https://a.example\r\n", b"").await;
    assert_eq!(response.header("access-control-allow-origin"), None);
}
