//! NIP-77: a client's sessions. The messages are made by another implementation of the protocol.

use std::time::Duration;

use event::{Event, hex};
use negentropy::{Id, Negentropy, NegentropyStorageVector};
use serde_json::{Value, json};

use crate::client::Client;
use crate::harness::{Relay, Wiring, event, ids, keys, note, notes, now};

/// A client that has some events.
struct Initiator(Negentropy<'static, NegentropyStorageVector>);

impl Initiator {
    fn with(events: &[Event]) -> Self {
        let mut storage = NegentropyStorageVector::new();
        for event in events {
            let event = event.as_ref();
            let id = Id::from_byte_array(*event.id().as_bytes());
            storage.insert(event.created_at().as_secs(), id).unwrap();
        }
        storage.seal().unwrap();
        Self(Negentropy::owned(storage, 0).unwrap())
    }

    fn open(&mut self) -> String {
        hex::encode(&self.0.initiate().unwrap())
    }
}

/// The first message of a client that has nothing.
pub(crate) fn empty() -> String {
    Initiator::with(&[]).open()
}

/// Reconciles to the end; gives what the client has alone, and what it needs, sorted.
async fn reconcile(client: &mut Client, filter: &str, own: &[Event]) -> (Vec<String>, Vec<String>) {
    let mut initiator = Initiator::with(own);
    let (mut have, mut need) = (Vec::new(), Vec::new());
    client.send(format!(r#"["NEG-OPEN","n",{filter},"{}"]"#, initiator.open())).await;
    loop {
        let answer = client.next().await;
        assert_eq!((&answer[0], &answer[1]), (&json!("NEG-MSG"), &json!("n")), "{answer}");
        let answer = hex::decode(answer[2].as_str().unwrap().as_bytes()).unwrap();
        let next = initiator.0.reconcile_with_ids(&answer, &mut have, &mut need).unwrap();
        let Some(next) = next else { break };
        client.send(format!(r#"["NEG-MSG","n","{}"]"#, hex::encode(&next))).await;
    }
    client.send(r#"["NEG-CLOSE","n"]"#).await;
    client.expect_silence().await;
    let hex = |ids: Vec<Id>| {
        let mut ids: Vec<_> = ids.iter().map(|id| hex::encode(id.as_bytes())).collect();
        ids.sort();
        ids
    };
    (hex(have), hex(need))
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

/// Opens a session that is refused; gives the whole NEG-ERR.
async fn refused(client: &mut Client, sub: &str, filter: &str) -> Value {
    client.send(format!(r#"["NEG-OPEN","{sub}",{filter},"{}"]"#, empty())).await;
    let answer = client.next().await;
    assert_eq!((&answer[0], &answer[1]), (&json!("NEG-ERR"), &json!(sub)), "{answer}");
    answer
}

async fn open(client: &mut Client, sub: &str) {
    client.send(format!(r#"["NEG-OPEN","{sub}",{{}},"{}"]"#, empty())).await;
    let answer = client.next().await;
    assert_eq!((&answer[0], &answer[1]), (&json!("NEG-MSG"), &json!(sub)), "{answer}");
}

/// What a session that does not exist answers.
async fn is_unknown(client: &mut Client, sub: &str) -> bool {
    client.send(format!(r#"["NEG-MSG","{sub}","61"]"#)).await;
    let answer = client.next().await;
    assert_eq!(answer[1], sub, "{answer}");
    answer[0] == "NEG-ERR" && answer[2].as_str().unwrap().starts_with("closed: ")
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_learn_what_the_other_has() {
    let all = notes(&keys(1), 2000, "");
    let relay = Relay::reconciling(all[100..].to_vec(), |_| {}).await;
    let mut client = relay.client().await;
    let author = keys(1).pubkey();
    // By the summary trees, and by a set that is gathered.
    for filter in ["{}", r#"{"kinds":[1]}"#, &format!(r#"{{"authors":["{author}"]}}"#)] {
        let (have, need) = reconcile(&mut client, filter, &all[..1950]).await;
        assert_eq!(have, sorted(ids(&all[..100])), "{filter}");
        assert_eq!(need, sorted(ids(&all[1950..])), "{filter}");
    }
    let nothing = reconcile(&mut client, "{}", &all[100..]).await;
    assert_eq!(nothing, (vec![], vec![]));
    assert!(relay.sessions.as_ref().unwrap().list().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_keep_to_the_frame_size_limit() {
    let all = notes(&keys(1), 1000, "");
    let relay = Relay::reconciling(all.clone(), |settings| {
        settings.frame_size_limit = reconcile::FrameSizeLimit::new(4096).unwrap();
    })
    .await;
    let mut client = relay.client().await;
    client.send(format!(r#"["NEG-OPEN","n",{{}},"{}"]"#, empty())).await;
    assert!(client.next().await[2].as_str().unwrap().len() <= 2 * 4096);
    let (_, need) = self::reconcile(&mut client, "{}", &[]).await;
    assert_eq!(need, sorted(ids(&all)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_version_of_the_protocol_is_answered_by_ours() {
    let relay = Relay::reconciling(vec![], |_| {}).await;
    let mut client = relay.client().await;
    for message in ["62", "6200000200", "6f00"] {
        client.send(format!(r#"["NEG-OPEN","n",{{}},"{message}"]"#)).await;
        assert_eq!(client.next().await, json!(["NEG-MSG", "n", "61"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_names_its_session_and_ends_it() {
    let relay = Relay::reconciling(notes(&keys(1), 5, ""), |_| {}).await;
    let mut client = relay.client().await;
    let messages = [
        r#"["NEG-MSG","n","6"]"#,
        r#"["NEG-MSG","n","zz"]"#,
        r#"["NEG-MSG","n"]"#,
        r#"["NEG-MSG","n",1]"#,
        r#"["NEG-MSG","n",""]"#,
        r#"["NEG-MSG","n","61ff"]"#,
        r#"["NEG-MSG","n","610000ff"]"#,
        r#"["NEG-MSG","n","61000002ffffffffff7f"]"#,
        r#"["NEG-OPEN","n",{"kinds":"x"},"61"]"#,
        r#"["NEG-OPEN","n",{},"6"]"#,
        r#"["NEG-OPEN","n",{}]"#,
    ];
    for message in messages {
        open(&mut client, "n").await;
        client.send(message).await;
        let answer = client.next().await;
        assert_eq!((&answer[0], &answer[1]), (&json!("NEG-ERR"), &json!("n")), "{message}");
        let reason = answer[2].as_str().unwrap();
        assert!(reason.starts_with("invalid: ") || reason.starts_with("closed: "), "{reason}");
        assert!(is_unknown(&mut client, "n").await, "{message}");
    }
    assert!(relay.sessions.as_ref().unwrap().list().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_its_client_says_so() {
    let relay = Relay::reconciling(vec![], |_| {}).await;
    let mut client = relay.client().await;
    open(&mut client, "n").await;
    assert!(!is_unknown(&mut client, "n").await);
    client.send(r#"["NEG-CLOSE","n"]"#).await;
    assert!(is_unknown(&mut client, "n").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_counted_by_connection_and_replaced_by_name() {
    let relay = Relay::reconciling(vec![], |settings| settings.sessions_per_connection = 2).await;
    let mut client = relay.client().await;
    open(&mut client, "a").await;
    open(&mut client, "b").await;
    open(&mut client, "b").await;
    let answer = refused(&mut client, "c", "{}").await;
    assert_eq!(answer[2], "rate-limited: 2 reconciliations are open already");
    open(&mut relay.client().await, "a").await;
    client.send(r#"["NEG-CLOSE","a"]"#).await;
    open(&mut client, "c").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_of_one_connection_and_ends_with_it() {
    let relay = Relay::reconciling(vec![], |_| {}).await;
    let (mut client, mut other) = (relay.client().await, relay.client().await);
    open(&mut client, "n").await;
    assert!(is_unknown(&mut other, "n").await);
    drop(client);
    while !relay.sessions.as_ref().unwrap().list().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_session_ends() {
    let relay =
        Relay::reconciling(vec![], |settings| settings.timeout = Duration::from_millis(50)).await;
    let mut client = relay.client().await;
    open(&mut client, "n").await;
    while !relay.sessions.as_ref().unwrap().list().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(is_unknown(&mut client, "n").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_is_too_large_to_gather_is_refused_with_the_limit() {
    let relay =
        Relay::reconciling(notes(&keys(1), 30, ""), |settings| settings.max_records = 20).await;
    let mut client = relay.client().await;
    let filter = format!(r#"{{"authors":["{}"]}}"#, keys(1).pubkey());
    let answer = refused(&mut client, "n", &filter).await;
    assert!(answer[2].as_str().unwrap().starts_with("blocked: "), "{answer}");
    assert_eq!(answer[3], 20);
    // The summary trees gather nothing.
    let (_, need) = reconcile(&mut client, r#"{"kinds":[1]}"#, &[]).await;
    assert_eq!(need.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_kinds_are_in_the_sets_of_their_parties_only() {
    let to = keys(2).pubkey().to_string();
    let message = event(&keys(1), 4, now(), &[&["p", &to]], "");
    let wrap = event(&keys(9), 1059, now(), &[&["p", &to]], "");
    let public = note(&keys(1), "");
    let events = vec![message.clone(), wrap.clone(), public.clone()];
    let relay = Relay::reconciling(events.clone(), |_| {}).await;
    let mut client = relay.client().await;
    let answer = refused(&mut client, "n", r#"{"kinds":[4,1059]}"#).await;
    assert!(answer[2].as_str().unwrap().starts_with("auth-required: "), "{answer}");
    assert_eq!(reconcile(&mut client, "{}", &[]).await.1, ids([&public]));
    client.authenticate(&keys(3)).await;
    assert_eq!(reconcile(&mut client, "{}", &[]).await.1, ids([&public]));
    assert!(reconcile(&mut client, r#"{"kinds":[4]}"#, &[]).await.1.is_empty());
    client.authenticate(&keys(2)).await;
    assert_eq!(reconcile(&mut client, "{}", &[]).await.1, sorted(ids(&events)));
    assert_eq!(reconcile(&mut client, r#"{"kinds":[4]}"#, &[]).await.1, ids([&message]));
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_and_access_hold_as_for_req() {
    let mut wiring = Wiring { negentropy: Some(Default::default()), ..Wiring::default() };
    wiring.settings.access.auth_required = true;
    wiring.settings.limits.filter_values = 2;
    let relay = Relay::wired(wiring).await;
    let mut client = relay.client().await;
    let answer = refused(&mut client, "n", "{}").await;
    assert_eq!(answer[2], "auth-required: authenticate to read here");
    client.authenticate(&keys(1)).await;
    open(&mut client, "n").await;
    let answer = refused(&mut client, "n", r#"{"kinds":[1,2,3]}"#).await;
    assert_eq!(answer[2], "blocked: a filter has 3 values, 2 are allowed");
    assert!(is_unknown(&mut client, "n").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_off_it_says_so() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let answer = refused(&mut client, "n", "{}").await;
    assert_eq!(answer[2], "blocked: NIP-77 is not enabled on this relay");
}
