//! Who may read and write in each mode of access control.

use std::time::{Duration, Instant};

use acl::{Mode, ThrottleSettings};
use event::{Event, Keys};

use crate::client::{Answer, Client};
use crate::harness::{Relay, Wiring, event, id, ids, keys, note, now};

const OWNER: u8 = 1;
const FRIEND: u8 = 2;
const STRANGER: u8 = 3;

pub(crate) async fn relay(mode: Mode, events: Vec<Event>) -> Relay {
    wired(mode, Wiring { events, ..Wiring::default() }).await
}

pub(crate) async fn wired(mode: Mode, mut wiring: Wiring) -> Relay {
    wiring.acl = Some(mode);
    wiring.settings.access.owners = vec![keys(OWNER).pubkey()];
    Relay::wired(wiring).await
}

fn follow_list(at: u64, followed: &[u8]) -> Event {
    let hex: Vec<String> = followed.iter().map(|seed| keys(*seed).pubkey().to_string()).collect();
    let tags: Vec<[&str; 2]> = hex.iter().map(|hex| ["p", hex]).collect();
    let tags: Vec<&[&str]> = tags.iter().map(|tag| &tag[..]).collect();
    event(&keys(OWNER), 3, at, &tags, "")
}

async fn client_of(relay: &Relay, who: &Keys) -> Client {
    let mut client = relay.client().await;
    client.authenticate(who).await;
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_lets_those_write_whom_the_owner_follows_and_others_read() {
    let relay = relay(Mode::Follows, vec![follow_list(now() - 10, &[FRIEND])]).await;
    let mut nobody = relay.client().await;
    let refused = nobody.publish(&note(&keys(FRIEND), "a")).await;
    assert_eq!(refused, Answer::refused("auth-required: authenticate to publish here"));
    let mut stranger = client_of(&relay, &keys(STRANGER)).await;
    let refused = stranger.publish(&note(&keys(STRANGER), "a")).await;
    assert_eq!(refused, Answer::refused("restricted: this pubkey may not publish here"));
    let mut friend = client_of(&relay, &keys(FRIEND)).await;
    let friends = note(&keys(FRIEND), "a");
    assert_eq!(friend.publish(&friends).await, Answer::accepted());
    assert_eq!(nobody.subscribe("s", r#"{"kinds":[1]}"#).await, ids([&friends]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_follow_list_holds_at_once_also_for_open_connections() {
    let relay = relay(Mode::Follows, vec![follow_list(now() - 10, &[FRIEND])]).await;
    let mut stranger = client_of(&relay, &keys(STRANGER)).await;
    assert!(!stranger.publish(&note(&keys(STRANGER), "a")).await.accepted);
    let mut owner = client_of(&relay, &keys(OWNER)).await;
    assert_eq!(owner.publish(&follow_list(now(), &[STRANGER])).await, Answer::accepted());
    assert_eq!(stranger.publish(&note(&keys(STRANGER), "b")).await, Answer::accepted());
    let mut friend = client_of(&relay, &keys(FRIEND)).await;
    assert!(!friend.publish(&note(&keys(FRIEND), "c")).await.accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_may_write_slowly_and_are_heard_meanwhile() {
    let delay = Duration::from_millis(150);
    let throttle = Some(ThrottleSettings { per_event: delay, max: delay });
    let events = vec![follow_list(now() - 10, &[FRIEND])];
    let relay = wired(Mode::Follows, Wiring { events, throttle, ..Wiring::default() }).await;
    let mut stranger = relay.client().await;
    stranger.subscribe("s", r#"{"kinds":[1],"limit":0}"#).await;
    let late = note(&keys(STRANGER), "late");
    let started = Instant::now();
    stranger.send(crate::client::event_message(&late)).await;
    let early = note(&keys(FRIEND), "early");
    let mut friend = client_of(&relay, &keys(FRIEND)).await;
    assert_eq!(friend.publish(&early).await, Answer::accepted());
    assert_eq!(stranger.live("s").await, id(&early), "what is sent to it does not wait");
    let mut came = [stranger.next().await, stranger.next().await];
    came.sort_by_key(|message| message[0].to_string());
    assert_eq!((&came[0][0], &came[1][0]), (&"EVENT".into(), &"OK".into()), "{came:?}");
    assert!(started.elapsed() >= delay, "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_deletes_what_others_wrote() {
    let theirs = note(&keys(STRANGER), "spam");
    let article = event(&keys(STRANGER), 30_023, now() - 9, &[&["d", "x"]], "spam");
    let relay = relay(Mode::Follows, vec![theirs.clone(), article.clone()]).await;
    let address = format!("30023:{}:x", keys(STRANGER).pubkey());
    let request =
        |author: u8| event(&keys(author), 5, now(), &[&["e", &id(&theirs)], &["a", &address]], "");
    let mut friend = client_of(&relay, &keys(FRIEND)).await;
    assert!(!friend.publish(&request(FRIEND)).await.accepted);
    let mut anybody = relay.client().await;
    assert_eq!(anybody.publish(&request(OWNER)).await, Answer::accepted());
    assert_eq!(anybody.subscribe("s", r#"{"kinds":[1,30023]}"#).await, Vec::<String>::new());
    let mut owner = client_of(&relay, &keys(OWNER)).await;
    let older = event(&keys(STRANGER), 30_023, now() - 20, &[&["d", "x"]], "spam");
    for gone in [&theirs, &article, &older] {
        let refused = owner.publish(gone).await;
        assert_eq!(refused, Answer::refused("blocked: this event was deleted"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_mode_none_everybody_writes() {
    let relay = relay(Mode::None, vec![]).await;
    let mut nobody = relay.client().await;
    assert_eq!(nobody.publish(&note(&keys(STRANGER), "a")).await, Answer::accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn curating_takes_nothing_before_it_is_configured_and_then_counts_newcomers() {
    let relay = relay(Mode::Curating, vec![]).await;
    let mut client = relay.client().await;
    let refused = client.publish(&note(&keys(STRANGER), "a")).await;
    assert!(refused.reason.starts_with("blocked: this relay is not configured"), "{refused:?}");
    let tags: [&[&str]; 3] = [&["d", "curating-config"], &["kind", "1"], &["daily_limit", "1"]];
    let config = event(&keys(OWNER), 30_078, now(), &tags, "");
    assert_eq!(client.publish(&config).await, Answer::accepted());
    let first = note(&keys(STRANGER), "b");
    assert_eq!(client.publish(&first).await, Answer::accepted());
    let refused = client.publish(&note(&keys(STRANGER), "c")).await;
    assert_eq!(refused.reason, "rate-limited: newcomers may publish 1 events a day here");
    assert_eq!(client.publish(&note(&keys(OWNER), "d")).await, Answer::accepted());
    let kind = client.publish(&event(&keys(FRIEND), 7, now(), &[], "+")).await;
    assert_eq!(kind.reason, "blocked: kind 7 is not allowed here");
    let again = client.publish(&first).await;
    assert_eq!(again, Answer::accepted_as("duplicate: already have this event"));
}

#[tokio::test(flavor = "multi_thread")]
async fn directory_kinds_may_be_read_before_authentication() {
    let profile = event(&keys(STRANGER), 0, now(), &[], "{}");
    let mut wiring = Wiring { events: vec![profile.clone()], ..Wiring::default() };
    wiring.settings.access.auth_required = true;
    let relay = wired(Mode::Managed, wiring).await;
    let mut nobody = relay.client().await;
    assert_eq!(nobody.subscribe("s", r#"{"kinds":[0,10002]}"#).await, ids([&profile]));
    let refused = nobody.refusal(r#"["REQ","r",{"kinds":[0,1]}]"#, "CLOSED", "r").await;
    assert_eq!(refused, "auth-required: authenticate to read here");
    nobody.authenticate(&keys(STRANGER)).await;
    assert_eq!(nobody.subscribe("r", r#"{"kinds":[0,1]}"#).await, ids([&profile]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_tells_of_restricted_writing() {
    for (mode, restricted) in [(Mode::None, false), (Mode::Follows, true), (Mode::Managed, true)] {
        let relay = relay(mode, vec![]).await;
        let accept = "Accept: application/nostr+json\r\n";
        let document =
            crate::http_client::request(relay.addr, "GET", "/", accept, b"").await.json();
        assert_eq!(document["limitation"]["restricted_writes"], restricted, "{mode}");
        assert_eq!(document["limitation"]["auth_required"], false);
        let page = crate::http_client::get(relay.addr, "/api/acl-mode").await.json();
        assert_eq!(page["acl_mode"], mode.as_str());
    }
}
