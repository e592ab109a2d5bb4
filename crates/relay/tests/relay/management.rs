//! Management at run time (NIP-86), by NIP-98.

use acl::Mode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{Event, Keys, hex};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::access_modes::relay;
use crate::client::Answer;
use crate::harness::{Relay, event, id, ids, keys, note, now};
use crate::http_client::{Response, authorization, request};

const OWNER: u8 = 1;
const SOMEBODY: u8 = 5;

fn url(relay: &Relay) -> String {
    format!("http://{}/", relay.addr)
}

fn token(keys: &Keys, url: &str, body: &str) -> Event {
    let hash = hex::encode(&Sha256::digest(body));
    let tags: [&[&str]; 3] = [&["u", url], &["method", "POST"], &["payload", &hash]];
    event(keys, 27235, now(), &tags, "")
}

async fn post(relay: &Relay, path: &str, token: &Event, body: &str) -> Response {
    let kind = "Content-Type: application/nostr+json+rpc\r\n";
    let headers = format!("{kind}{}", authorization(token));
    request(relay.addr, "POST", path, &headers, body.as_bytes()).await
}

/// A call by the owner that must come to an answer.
async fn call(relay: &Relay, method: &str, params: Value) -> Value {
    // Two calls in the same second are two tokens.
    let body = json!({ "method": method, "params": params, "call": rand_text() }).to_string();
    let response = post(relay, "/", &token(&keys(OWNER), &url(relay), &body), &body).await;
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/nostr+json+rpc"));
    response.json()
}

fn rand_text() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed).to_string()
}

pub(crate) async fn result(relay: &Relay, method: &str, params: Value) -> Value {
    let answer = call(relay, method, params).await;
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

pub(crate) fn hex_of(seed: u8) -> String {
    keys(seed).pubkey().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_token_of_an_owner_for_this_call_will_do() {
    let relay = relay(Mode::Managed, vec![]).await;
    let body = r#"{"method":"supportedmethods","params":[]}"#;
    let here = url(&relay);
    let owner = keys(OWNER);
    let unpaid = event(&owner, 27235, now(), &[&["u", &here], &["method", "POST"]], "");
    let cases = [
        (token(&keys(SOMEBODY), &here, body), 403, "no owner or admin"),
        (token(&owner, "http://other.example/", body), 401, "u is"),
        (token(&owner, &here, "another body"), 401, "payload is not the hash"),
        (unpaid, 401, "the payload tag is missing"),
    ];
    for (token, status, reason) in cases {
        let response = post(&relay, "/", &token, body).await;
        assert_eq!(response.status, status, "{response:?}");
        assert!(response.body.contains(reason), "{response:?}");
    }
    let good = token(&owner, &here, body);
    assert_eq!(post(&relay, "/", &good, body).await.status, 200);
    let again = post(&relay, "/", &good, body).await;
    assert_eq!(again.status, 401, "{again:?}");
    let kind = "Content-Type: application/nostr+json+rpc\r\n";
    let nobody = request(relay.addr, "POST", "/", kind, body.as_bytes()).await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("nostr")));
    let forged = STANDARD.encode("{}");
    let headers = format!("{kind}Authorization: Nostr {forged}\r\n");
    assert_eq!(request(relay.addr, "POST", "/", &headers, body.as_bytes()).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_taken_on_the_relays_url_and_under_api() {
    let relay = relay(Mode::Managed, vec![]).await;
    for (path, extra) in [("/api/nip86", "api/nip86"), ("/api/nip86", ""), ("/", "")] {
        let body = json!({ "method": "supportedmethods", "params": [path, extra] }).to_string();
        let token = token(&keys(OWNER), &format!("{}{extra}", url(&relay)), &body);
        let response = post(&relay, path, &token, &body).await;
        assert_eq!(response.status, 200, "{path} {extra} {response:?}");
        let methods = response.json()["result"].clone();
        assert!(methods.as_array().unwrap().contains(&json!("banpubkey")), "{methods}");
    }
    let headers = "Content-Type: application/json\r\n";
    assert_eq!(request(relay.addr, "POST", "/api/nip86", headers, b"{}").await.status, 415);
    assert_eq!(request(relay.addr, "POST", "/", headers, b"{}").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn pubkeys_are_allowed_and_banned_at_once() {
    let relay = relay(Mode::Managed, vec![]).await;
    let mut client = relay.client().await;
    client.authenticate(&keys(SOMEBODY)).await;
    let refused = client.publish(&note(&keys(SOMEBODY), "a")).await;
    assert_eq!(refused, Answer::refused("restricted: this pubkey may not publish here"));
    let allowed = result(&relay, "allowpubkey", json!([hex_of(SOMEBODY), "a friend"])).await;
    assert_eq!(allowed, json!(true));
    assert_eq!(client.publish(&note(&keys(SOMEBODY), "b")).await, Answer::accepted());
    result(&relay, "banpubkey", json!([hex_of(SOMEBODY), "no friend"])).await;
    assert_eq!(client.next().await, json!(["NOTICE", "blocked: this pubkey is banned"]));
    let refused = client.publish(&note(&keys(SOMEBODY), "c")).await;
    assert_eq!(refused, Answer::refused("blocked: this pubkey is banned"));
    let reads = client.refusal(r#"["REQ","r",{}]"#, "CLOSED", "r").await;
    assert_eq!(reads, "blocked: this pubkey is banned");
    let listed = result(&relay, "listbannedpubkeys", json!([])).await;
    assert_eq!(listed[0]["pubkey"], hex_of(SOMEBODY));
    assert_eq!(listed[0]["reason"], "no friend");
    assert_eq!(result(&relay, "listallowedpubkeys", json!([])).await, json!([]));
    result(&relay, "unbanpubkey", json!([hex_of(SOMEBODY)])).await;
    assert_eq!(client.subscribe("r", r#"{"limit":0}"#).await, Vec::<String>::new());
    let own = call(&relay, "banpubkey", json!([hex_of(OWNER)])).await;
    assert!(own["error"].as_str().unwrap().contains("owner or admin"), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_event_is_gone_until_it_is_allowed() {
    let bad = note(&keys(SOMEBODY), "bad");
    let relay = relay(Mode::Managed, vec![bad.clone()]).await;
    let mut client = relay.client().await;
    client.authenticate(&keys(OWNER)).await;
    result(&relay, "banevent", json!([id(&bad), "rude"])).await;
    let mut reader = relay.client().await;
    assert_eq!(reader.subscribe("s", r#"{"kinds":[1]}"#).await, Vec::<String>::new());
    assert_eq!(client.publish(&bad).await, Answer::refused("blocked: this event is banned"));
    let listed = result(&relay, "listbannedevents", json!([])).await;
    assert_eq!((&listed[0]["id"], &listed[0]["reason"]), (&json!(id(&bad)), &json!("rude")));
    result(&relay, "allowevent", json!([id(&bad)])).await;
    assert_eq!(client.publish(&bad).await, Answer::accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_and_addresses_are_limited() {
    let relay = relay(Mode::Managed, vec![]).await;
    let mut owner = relay.client().await;
    owner.authenticate(&keys(OWNER)).await;
    result(&relay, "allowkind", json!([7])).await;
    assert_eq!(result(&relay, "listallowedkinds", json!([])).await, json!([7]));
    let refused = owner.publish(&note(&keys(OWNER), "a")).await;
    assert_eq!(refused, Answer::refused("blocked: kind 1 is not allowed here"));
    result(&relay, "disallowkind", json!([7])).await;
    assert_eq!(owner.publish(&note(&keys(OWNER), "b")).await, Answer::accepted());
    result(&relay, "blockip", json!(["127.0.0.1", "flood"])).await;
    let mut nobody = relay.client().await;
    let refused = nobody.refusal(r#"["REQ","r",{}]"#, "CLOSED", "r").await;
    assert_eq!(refused, "blocked: this address is blocked");
    assert_eq!(owner.publish(&note(&keys(OWNER), "c")).await, Answer::accepted());
    assert_eq!(result(&relay, "listblockedips", json!([])).await[0]["ip"], "127.0.0.1");
    result(&relay, "unblockip", json!(["127.0.0.1"])).await;
    assert_eq!(nobody.subscribe("r", r#"{"limit":0}"#).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn name_description_and_picture_change_and_stay() {
    let relay = relay(Mode::None, vec![]).await;
    for (method, text) in [
        ("changerelayname", "New name"),
        ("changerelaydescription", "New <description>"),
        ("changerelayicon", "https://a.example/i.png"),
    ] {
        assert_eq!(result(&relay, method, json!([text])).await, json!(true));
    }
    let accept = "Accept: application/nostr+json\r\n";
    let document = request(relay.addr, "GET", "/", accept, b"").await.json();
    let found = [&document["name"], &document["description"], &document["icon"]];
    assert_eq!(found, ["New name", "New <description>", "https://a.example/i.png"]);
    assert!(document["supported_nips"].as_array().unwrap().contains(&json!(86)));
    let methods = result(&relay, "supportedmethods", json!([])).await;
    assert_eq!(methods.as_array().unwrap().len(), 3, "mode none has no lists: {methods}");
    let other = call(&relay, "banpubkey", json!([hex_of(SOMEBODY)])).await;
    assert_eq!(other["error"], "method \"banpubkey\" is not supported, see supportedmethods");
    let (store, _dir) = relay.reopened().await;
    let kept = store::Markers::marker(&store, "relay:label:name").await.unwrap();
    assert_eq!(kept.as_deref(), Some(&b"New name"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn reported_events_wait_for_moderation_until_they_are_allowed() {
    let reported = note(&keys(SOMEBODY), "rude");
    let gone = note(&keys(SOMEBODY), "gone");
    let report =
        |target: &Event| event(&keys(6), 1984, now(), &[&["e", &id(target), "profanity"]], "");
    let reports = vec![reported.clone(), report(&reported), report(&gone)];
    let relay = relay(Mode::Managed, reports).await;
    let found = result(&relay, "listeventsneedingmoderation", json!([])).await;
    assert_eq!(found, json!([{ "id": id(&reported), "reason": "profanity" }]));
    result(&relay, "allowevent", json!([id(&reported)])).await;
    assert_eq!(result(&relay, "listeventsneedingmoderation", json!([])).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_make_no_sense_are_named() {
    let relay = relay(Mode::Managed, vec![]).await;
    for (method, params, expected) in [
        ("banpubkey", json!(["xyz"]), "params[0]: expected a pubkey"),
        ("banpubkey", json!([]), "params[0]: expected a pubkey"),
        ("allowkind", json!([70_000]), "params[0]: expected a kind, 0 to 65535"),
        ("blockip", json!(["10.1"]), "params[0]: expected an IP address"),
        ("banevent", json!([1]), "params[0]: expected the id of an event, 64 hex digits"),
    ] {
        assert_eq!(call(&relay, method, params).await["error"], expected, "{method}");
    }
    let body = "{}";
    let response = post(&relay, "/", &token(&keys(OWNER), &url(&relay), body), body).await;
    assert_eq!(response.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn blacklisted_authors_are_hidden_from_all_but_owners() {
    let (theirs, other) = (note(&keys(SOMEBODY), "a"), note(&keys(6), "b"));
    let relay = relay(Mode::Curating, vec![theirs.clone(), other.clone()]).await;
    let mut reader = relay.client().await;
    let mut owner = relay.client().await;
    owner.authenticate(&keys(OWNER)).await;
    assert_eq!(reader.count(r#"{"kinds":[1]}"#).await, 2);
    result(&relay, "blacklistpubkey", json!([hex_of(SOMEBODY)])).await;
    assert_eq!(reader.subscribe("s", r#"{"kinds":[1]}"#).await, ids([&other]));
    assert_eq!(reader.count(r#"{"kinds":[1]}"#).await, 1);
    assert_eq!(owner.subscribe("s", r#"{"kinds":[1]}"#).await.len(), 2);
    assert_eq!(owner.count(r#"{"kinds":[1]}"#).await, 2);
    let late = event(&keys(SOMEBODY), 1, now(), &[], "late");
    let visible = event(&keys(6), 1, now(), &[], "visible");
    relay.store(vec![late.clone(), visible.clone()]).await;
    assert_eq!(reader.live("s").await, id(&visible));
    assert_eq!(owner.live("s").await, id(&late));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_curator_looks_at_authors_and_removes_their_events() {
    let notes: Vec<Event> =
        (0..3).map(|at| event(&keys(SOMEBODY), 1, now() - at, &[], "x")).collect();
    let relay = relay(Mode::Curating, notes.clone()).await;
    assert_eq!(result(&relay, "isconfigured", json!([])).await, json!(false));
    assert_eq!(result(&relay, "getcuratingconfig", json!([])).await, json!(null));
    let scan = result(&relay, "scanpubkeys", json!([])).await;
    assert_eq!(scan, json!({ "total_pubkeys": 1, "total_events": 3 }));
    let users = result(&relay, "listunclassifiedusers", json!([10, 0])).await;
    assert_eq!(users["total"], 1);
    assert_eq!(users["users"][0]["pubkey"], hex_of(SOMEBODY));
    assert_eq!(users["users"][0]["event_count"], 3);
    let page = result(&relay, "geteventsforpubkey", json!([hex_of(SOMEBODY), 1, 1])).await;
    assert_eq!((&page["total"], &page["events"][0]["id"]), (&json!(3), &json!(id(&notes[1]))));
    let removed = result(&relay, "deleteeventsforpubkey", json!([hex_of(SOMEBODY)])).await;
    assert_eq!(removed, json!({ "deleted": 3 }));
    let spam = note(&keys(6), "spam");
    result(&relay, "markspam", json!([id(&spam), hex_of(6), "ads"])).await;
    let listed = result(&relay, "listspamevents", json!([])).await;
    assert_eq!((&listed[0]["pubkey"], &listed[0]["reason"]), (&json!(hex_of(6)), &json!("ads")));
}
