//! `/api/import` and `/api/export`, by NIP-98.

use event::{Event, hex};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::{Relay, Wiring, event, ids, keys, note, notes, now};
use crate::http_client::{Response, authorization, request, token, token_at};

const ADMIN: u8 = 7;

async fn relay(events: Vec<Event>) -> Relay {
    let mut wiring = Wiring { events, ..Wiring::default() };
    wiring.settings.access.admins = vec![keys(ADMIN).pubkey()];
    Relay::wired(wiring).await
}

fn url(relay: &Relay, path: &str) -> String {
    format!("http://{}{path}", relay.addr)
}

async fn import(relay: &Relay, body: &str) -> Response {
    let token = token(&keys(ADMIN), "POST", &url(relay, "/api/import"));
    request(relay.addr, "POST", "/api/import", &authorization(&token), body.as_bytes()).await
}

async fn export(relay: &Relay, token: &Event) -> Response {
    request(relay.addr, "GET", "/api/export", &authorization(token), b"").await
}

fn lines(events: &[Event]) -> String {
    events.iter().map(|event| event.as_ref().to_json() + "\n").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_imported_served_and_delivered() {
    let relay = relay(vec![]).await;
    let mut client = relay.client().await;
    client.subscribe("s", "{}").await;
    let events = notes(&keys(1), 1200, "");
    let response = import(&relay, lines(&events).trim_end()).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    let report = json!({"stored": 1200, "known": 0, "refused": 0, "bad": 0, "errors": []});
    assert_eq!(response.json(), report);
    for expected in ids(&events) {
        assert_eq!(client.live("s").await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_events_are_reported_and_skipped() {
    let relay = relay(vec![]).await;
    let good = note(&keys(1), "good");
    let forged = note(&keys(1), "x").as_ref().to_json().replace("\"x\"", "\"y\"");
    let gone = event(&keys(1), 1, now(), &[&["expiration", "1"]], "");
    let json = good.as_ref().to_json();
    let body = format!("{json}\r\n\nnonsense\n{forged}\n  {json}\n{}", gone.as_ref().to_json());
    let report = import(&relay, &body).await.json();
    assert_eq!((&report["stored"], &report["known"]), (&json!(1), &json!(1)));
    assert_eq!((&report["refused"], &report["bad"]), (&json!(1), &json!(2)));
    let errors = report["errors"].as_array().unwrap();
    assert!(errors[0].as_str().unwrap().starts_with("line 3: event: expected"), "{errors:?}");
    assert_eq!(errors[1], "line 4: id is not the hash of the event");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_searched_for_its_file() {
    let part = |name: &str, text: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let send = async |form: String| {
        let relay = relay(vec![]).await;
        let token = token(&keys(ADMIN), "POST", &url(&relay, "/api/import"));
        let kind = "Content-Type: multipart/form-data; boundary=XX\r\n";
        let form = form + "--XX--\r\n";
        let headers = authorization(&token) + kind;
        request(relay.addr, "POST", "/api/import", &headers, form.as_bytes()).await
    };
    let events = lines(&notes(&keys(1), 700, ""));
    let response = send(part("comment", "mine") + &part("file", &events)).await;
    assert_eq!(response.json()["stored"], 700);
    let response = send(part("comment", "mine")).await;
    assert_eq!(response.status, 400);
    assert_eq!(response.body, "the form has no field named file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_never_ends_is_refused() {
    let relay = relay(vec![]).await;
    let response = import(&relay, &"x".repeat(3 << 20)).await;
    assert_eq!(response.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_exported_or_what_some_pubkeys_wrote() {
    let (a, b) = (notes(&keys(1), 1000, "a"), notes(&keys(2), 3, "b"));
    let message = event(&keys(2), 4, now() - 1000, &[], "private");
    let relay = relay([a.clone(), b.clone(), vec![message.clone()]].concat()).await;
    let response = export(&relay, &token(&keys(ADMIN), "GET", &url(&relay, "/api/export"))).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/x-ndjson"));
    assert!(response.header("content-disposition").unwrap().contains("events.jsonl"));
    let mut found: Vec<_> = response.body.lines().map(str::to_owned).collect();
    let all = lines(&[a, b.clone(), vec![message.clone()]].concat());
    let mut expected: Vec<_> = all.lines().map(str::to_owned).collect();
    found.sort();
    expected.sort();
    assert!(found == expected, "{} lines", found.len());

    let body = format!(r#"{{"pubkeys":["{}"]}}"#, keys(2).pubkey().to_npub());
    let headers = authorization(&token(&keys(ADMIN), "POST", &url(&relay, "/api/export")));
    let response = request(relay.addr, "POST", "/api/export", &headers, body.as_bytes()).await;
    assert_eq!(response.body, lines(&[b, vec![message]].concat()));
    let headers =
        authorization(&token_at(&keys(ADMIN), "POST", &url(&relay, "/api/export"), now() - 1));
    let response = request(relay.addr, "POST", "/api/export", &headers, b"{\"pubkeys\":[1]}").await;
    assert_eq!((response.status, &*response.body), (400, "body: pubkeys: expected hex or npub"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_one_request_of_an_admin() {
    let relay = relay(vec![]).await;
    let here = url(&relay, "/api/export");
    let admin = keys(ADMIN);
    let cases = [
        (token(&keys(1), "GET", &here), 403, "is no owner or admin"),
        (token(&admin, "POST", &here), 401, "method is POST"),
        (token(&admin, "GET", "http://evil.example/api/export"), 401, "u is http://evil"),
        (token(&admin, "GET", &url(&relay, "/api/import")), 401, "u is "),
        (token_at(&admin, "GET", &here, now() - 100), 401, "created_at is 10"),
        (token_at(&admin, "GET", &here, now() + 100), 401, "created_at is "),
        (event(&admin, 1, now(), &[&["u", &here], &["method", "GET"]], ""), 401, "kind is 1"),
    ];
    for (token, status, reason) in cases {
        let response = export(&relay, &token).await;
        assert_eq!(response.status, status);
        assert!(response.body.contains(reason), "{}", response.body);
        assert_eq!(response.header("www-authenticate").is_some(), status == 401);
    }
    for headers in ["", "Authorization: Bearer x\r\n", "Authorization: Nostr !!!\r\n"] {
        let response = request(relay.addr, "GET", "/api/export", headers, b"").await;
        assert_eq!(response.status, 401, "{headers}");
    }
    let good = token(&admin, "GET", &here);
    assert_eq!(export(&relay, &good).await.status, 200);
    let again = export(&relay, &good).await;
    assert_eq!(again.status, 401);
    assert!(again.body.contains("was used already"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_names_a_body_is_for_no_other() {
    let relay = relay(vec![]).await;
    let admin = keys(ADMIN);
    let import = lines(&notes(&keys(1), 3, ""));
    let export = format!(r#"{{"pubkeys":["{}"]}}"#, keys(2).pubkey());
    for (path, body) in [("/api/import", &import), ("/api/export", &export)] {
        let send = async |named: &str| {
            let hash = hex::encode(&Sha256::digest(named));
            let url = url(&relay, path);
            let tags: [&[&str]; 3] = [&["u", &url], &["method", "POST"], &["payload", &hash]];
            let headers = authorization(&event(&admin, 27235, now(), &tags, ""));
            request(relay.addr, "POST", path, &headers, body.as_bytes()).await
        };
        let refused = send("another").await;
        assert!(refused.status == 401 || refused.status == 400, "{path}: {refused:?}");
        assert!(refused.body.contains("payload is not the hash of the body"), "{refused:?}");
        let taken = send(body).await;
        assert_eq!(taken.status, 200, "{path}");
        if path == "/api/import" {
            assert_eq!(taken.json()["stored"], 3, "nothing was stored before");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_a_name_takes_tokens_for_it() {
    let mut wiring = Wiring::default();
    wiring.settings.access.owners = vec![keys(ADMIN).pubkey()];
    wiring.settings.about.url = Some("wss://relay.example/".into());
    let relay = Relay::wired(wiring).await;
    for url in ["https://relay.example/api/export", &url(&relay, "/api/export")] {
        assert_eq!(export(&relay, &token(&keys(ADMIN), "GET", url)).await.status, 200, "{url}");
    }
    let elsewhere = token(&keys(ADMIN), "GET", "https://evil.example/api/export");
    let headers = authorization(&elsewhere);
    let head = format!(
        "GET /api/export HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{headers}\r\n"
    );
    let response = crate::http_client::raw_request(relay.addr, head.as_bytes()).await;
    assert_eq!(response.status, 401);
}
