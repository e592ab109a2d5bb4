//! What is decided while clients are connected holds at once, also for those who say nothing.

use std::sync::Arc;

use acl::{Entry, FollowsSettings, List, LocalAcl, Management, Mode, Subject};
use event::{Timestamp, hex};
use relay_sync::SessionSettings;
use serde_json::json;

use crate::access_modes::{relay, wired};
use crate::client::{Answer, Client};
use crate::harness::{Relay, Wiring, event, id, keys, note, now};
use crate::management::{hex_of, result};
use crate::negentropy_sessions::empty;

const OWNER: u8 = 1;
const SOMEBODY: u8 = 5;
const OTHER: u8 = 6;

async fn authenticated(relay: &Relay, seed: u8) -> Client {
    let mut client = relay.client().await;
    client.authenticate(&keys(seed)).await;
    client
}

/// The next messages must be the end of these subscriptions, in any order, and then the reason.
async fn is_shut_out(client: &mut Client, subs: &[&str], reason: &str) {
    let mut closed = Vec::new();
    for _ in subs {
        let message = client.next().await;
        assert_eq!((&message[0], &message[2]), (&json!("CLOSED"), &json!(reason)), "{message}");
        closed.push(message[1].as_str().unwrap().to_owned());
    }
    closed.sort();
    assert_eq!(closed, subs);
    assert_eq!(client.next().await, json!(["NOTICE", reason]));
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_of_a_banned_pubkey_are_closed() {
    let relay = relay(Mode::Managed, vec![]).await;
    let mut banned = authenticated(&relay, SOMEBODY).await;
    let mut other = authenticated(&relay, OTHER).await;
    for sub in ["a", "b"] {
        banned.subscribe(sub, "{}").await;
    }
    other.subscribe("s", "{}").await;
    result(&relay, "banpubkey", json!([hex_of(SOMEBODY)])).await;
    is_shut_out(&mut banned, &["a", "b"], "blocked: this pubkey is banned").await;
    let news = note(&keys(OTHER), "news");
    relay.store(vec![news.clone()]).await;
    assert_eq!(other.live("s").await, id(&news));
    banned.expect_silence().await;
    let refused = banned.publish(&note(&keys(SOMEBODY), "a")).await;
    assert_eq!(refused, Answer::refused("blocked: this pubkey is banned"));
    result(&relay, "banpubkey", json!([hex_of(OTHER + 1)])).await;
    banned.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_from_a_blocked_address_end_unless_somebody_known_is_there() {
    let relay = relay(Mode::Managed, vec![]).await;
    let mut idle = relay.client().await;
    let mut reader = relay.client().await;
    let mut owner = authenticated(&relay, OWNER).await;
    reader.subscribe("s", "{}").await;
    owner.subscribe("s", "{}").await;
    result(&relay, "blockip", json!(["127.0.0.1", "flood"])).await;
    is_shut_out(&mut reader, &["s"], "blocked: this address is blocked").await;
    assert_eq!(reader.close_code().await, Some(1008));
    assert_eq!(idle.close_code().await, Some(1008));
    let news = note(&keys(OTHER), "news");
    relay.store(vec![news.clone()]).await;
    assert_eq!(owner.live("s").await, id(&news));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_floods_is_answered_and_then_disconnected() {
    let relay = relay(Mode::Curating, vec![]).await;
    let mut client = relay.client().await;
    let tags: [&[&str]; 3] = [&["d", "curating-config"], &["kind", "1"], &["ip_daily_limit", "1"]];
    let config = event(&keys(OWNER), 30_078, now(), &tags, "");
    assert_eq!(client.publish(&config).await, Answer::accepted());
    assert_eq!(client.publish(&note(&keys(SOMEBODY), "a")).await, Answer::accepted());
    let flood = note(&keys(SOMEBODY), "b");
    client.send(crate::client::event_message(&flood)).await;
    let mut said = [client.next().await, client.next().await];
    said.sort_by_key(|message| message[0].to_string());
    assert_eq!(said[0], json!(["NOTICE", "blocked: this address is blocked"]));
    assert_eq!((&said[1][1], &said[1][2]), (&json!(id(&flood)), &json!(false)), "{said:?}");
    assert_eq!(client.close_code().await, Some(1008));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_hidden_author_come_live_no_more() {
    let relay = relay(Mode::Curating, vec![]).await;
    let mut reader = relay.client().await;
    let mut owner = authenticated(&relay, OWNER).await;
    reader.subscribe("s", "{}").await;
    owner.subscribe("s", "{}").await;
    let theirs = |content: &str| note(&keys(SOMEBODY), content);
    let first = theirs("first");
    relay.store(vec![first.clone()]).await;
    assert_eq!(reader.live("s").await, id(&first));
    assert_eq!(owner.live("s").await, id(&first));
    result(&relay, "blacklistpubkey", json!([hex_of(SOMEBODY)])).await;
    let (hidden, shown) = (theirs("hidden"), note(&keys(OTHER), "shown"));
    relay.store(vec![hidden.clone(), shown.clone()]).await;
    assert_eq!(reader.live("s").await, id(&shown));
    assert_eq!(owner.live("s").await, id(&hidden));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reconciliation_names_no_event_of_a_hidden_author() {
    let (theirs, other) = (note(&keys(SOMEBODY), "a"), note(&keys(OTHER), "b"));
    let events = vec![theirs.clone(), other.clone()];
    let negentropy = Some(SessionSettings::default());
    let relay = wired(Mode::Curating, Wiring { events, negentropy, ..Wiring::default() }).await;
    let mut reader = relay.client().await;
    let mut owner = authenticated(&relay, OWNER).await;
    let both = [&theirs, &other].map(|event| event.as_ref().pubkey().to_string());
    let by_authors = json!({ "authors": both }).to_string();
    let filters = ["{}", r#"{"kinds":[1]}"#, &by_authors];
    for filter in filters {
        assert_eq!(named(&mut reader, filter, [&theirs, &other]).await, [true, true]);
    }
    result(&relay, "blacklistpubkey", json!([hex_of(SOMEBODY)])).await;
    for filter in filters {
        assert_eq!(named(&mut reader, filter, [&theirs, &other]).await, [false, true]);
        assert_eq!(named(&mut owner, filter, [&theirs, &other]).await, [true, true]);
    }
    result(&relay, "unblacklistpubkey", json!([hex_of(SOMEBODY)])).await;
    for filter in filters {
        assert_eq!(named(&mut reader, filter, [&theirs, &other]).await, [true, true]);
    }
}

/// Which events the answer to a client that has nothing names.
async fn named(client: &mut Client, filter: &str, events: [&event::Event; 2]) -> [bool; 2] {
    client.send(format!(r#"["NEG-OPEN","n",{filter},"{}"]"#, empty())).await;
    let answer = client.next().await;
    assert_eq!((&answer[0], &answer[1]), (&json!("NEG-MSG"), &json!("n")), "{answer}");
    let ids = answer[2].as_str().unwrap().to_owned();
    events.map(|event| ids.contains(&hex::encode(event.as_ref().id().as_bytes())))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_process_decides_reaches_clients_that_say_nothing() {
    let relay = relay(Mode::Managed, vec![]).await;
    let mut banned = authenticated(&relay, SOMEBODY).await;
    banned.subscribe("s", "{}").await;
    let settings = acl::Settings {
        mode: Mode::Managed,
        owners: vec![keys(OWNER).pubkey()],
        admins: vec![],
        auth_required: false,
        follows: FollowsSettings::default(),
    };
    let elsewhere = LocalAcl::new(settings, Arc::clone(&relay.store) as _);
    elsewhere.refresh().await.unwrap();
    let subject = Subject::Pubkey(keys(SOMEBODY).pubkey());
    let (added, reason) = (Timestamp::now(), String::new());
    let entry = Entry { subject, reason, added, author: None };
    elsewhere.put(List::BannedPubkeys, entry).await.unwrap();
    is_shut_out(&mut banned, &["s"], "blocked: this pubkey is banned").await;
}
