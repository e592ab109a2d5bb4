//! Who may read and write: NIP-42, private kinds, protected events.

use acl::Mode;

use crate::client::{Answer, Client};
use crate::harness::{Relay, Wiring, event, id, ids, keys, note, now};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_another_challenge_proves_nothing() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let url = format!("ws://{}", relay.addr);
    let challenge = client.challenge().to_owned();
    let good: &[&[&str]] = &[&["relay", &url], &["challenge", &challenge]];
    let other_challenge: &[&[&str]] = &[&["relay", &url], &["challenge", "another"]];
    let other_relay: &[&[&str]] = &[&["relay", "wss://evil.example"], &["challenge", &challenge]];
    let no_relay: &[&[&str]] = &[&["challenge", &challenge]];
    let cases = [
        (22242, now(), other_challenge, "invalid: challenge is not"),
        (22242, now(), other_relay, "invalid: relay is wss://evil.example"),
        (22242, now(), no_relay, "invalid: the relay tag is missing"),
        (22242, now() - 700, good, "invalid: created_at is 70"),
        (22242, now() + 700, good, "invalid: created_at is "),
        (1, now(), good, "invalid: kind is 1, 22242 is needed"),
    ];
    for (kind, created_at, tags, start) in cases {
        let answer = client.authenticate_by(&event(&keys(1), kind, created_at, tags, "")).await;
        assert!(!answer.accepted && answer.reason.starts_with(start), "{answer:?}");
    }
    let signed = event(&keys(1), 22242, now(), good, "");
    let forged = signed.as_ref().to_json().replace(
        &signed.as_ref().sig().to_string(),
        &event(&keys(2), 22242, now(), good, "").as_ref().sig().to_string(),
    );
    client.send(format!(r#"["AUTH",{forged}]"#)).await;
    assert!(!client.answer_to(&id(&signed)).await.accepted);
    assert_eq!(client.authenticate_by(&signed).await, Answer::accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_connection_has_a_challenge_of_its_own() {
    let relay = Relay::start(|_| {}).await;
    let (a, b) = (relay.client().await, relay.client().await);
    assert_ne!(a.challenge(), b.challenge());
    assert!(a.challenge().len() >= 32);
}

/// Somebody between a client and this relay is asked under another name than this relay's.
#[tokio::test(flavor = "multi_thread")]
async fn a_relay_with_a_name_takes_no_answer_that_was_meant_for_another() {
    let relay =
        Relay::start(|settings| settings.about.url = Some("wss://relay.example".into())).await;
    let mut client = Client::connect_as(relay.addr, "evil.example").await;
    let challenge = client.challenge().to_owned();
    let answer_for = |url: &str| {
        let tags: [&[&str]; 2] = [&["relay", url], &["challenge", &challenge]];
        event(&keys(1), 22242, now(), &tags, "")
    };
    let answer = client.authenticate_by(&answer_for("wss://evil.example")).await;
    assert!(answer.reason.starts_with("invalid: relay is wss://evil.example"), "{answer:?}");
    let answer = client.authenticate_by(&answer_for("wss://relay.example/")).await;
    assert_eq!(answer, Answer::accepted());
    // Its operator may talk to it by the machine's own name.
    relay.client().await.authenticate(&keys(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_a_few_pubkeys_at_most() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    for seed in 1..=32 {
        client.authenticate(&keys(seed)).await;
    }
    client.authenticate(&keys(1)).await;
    let answer = client.prove(&keys(33)).await;
    assert!(!answer.accepted && answer.reason.starts_with("restricted: 32 pubkeys"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_may_need_authentication() {
    let relay = Relay::start(|settings| settings.access.auth_required = true).await;
    let mut client = relay.client().await;
    let reason = "auth-required: authenticate to read here";
    assert_eq!(client.refusal(r#"["REQ","s",{}]"#, "CLOSED", "s").await, reason);
    assert_eq!(client.refusal(r#"["COUNT","s",{}]"#, "CLOSED", "s").await, reason);
    let refused = Answer::refused("auth-required: authenticate to publish here");
    assert_eq!(client.publish(&note(&keys(1), "")).await, refused);
    client.authenticate(&keys(1)).await;
    assert_eq!(client.publish(&note(&keys(1), "")).await, Answer::accepted());
    assert_eq!(client.subscribe("s", "{}").await.len(), 1);
    assert_eq!(client.count("{}").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn remote_signers_may_be_let_through() {
    let relay = Relay::wired(Wiring {
        settings: {
            let mut settings = relay::Settings::default();
            settings.access.auth_required = true;
            settings.access.open_to_signers = true;
            settings
        },
        acl: Some(Mode::None),
        ..Wiring::default()
    })
    .await;
    let mut client = relay.client().await;
    let signer = keys(2).pubkey().to_string();
    assert!(client.subscribe("s", r#"{"kinds":[24133]}"#).await.is_empty());
    let request = event(&keys(1), 24133, now(), &[&["p", &signer]], "");
    assert_eq!(relay.client().await.publish(&request).await, Answer::accepted());
    assert_eq!(client.live("s").await, id(&request));
    assert!(!client.publish(&note(&keys(1), "")).await.accepted);
    client.refusal(r#"["REQ","t",{"kinds":[24133,1]}]"#, "CLOSED", "t").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_alone_may_need_authentication() {
    let relay = Relay::start(|settings| settings.access.auth_to_write = true).await;
    let mut client = relay.client().await;
    assert!(client.subscribe("s", "{}").await.is_empty());
    let refused = Answer::refused("auth-required: authenticate to publish here");
    assert_eq!(client.publish(&note(&keys(1), "")).await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_kinds_are_served_to_their_parties_only() {
    let (author, reader, stranger) = (keys(1), keys(2), keys(3));
    let to = reader.pubkey().to_string();
    let message = event(&author, 4, now(), &[&["p", &to]], "secret");
    let wrap = event(&keys(9), 1059, now() - 1, &[&["p", &to]], "secret");
    let public = event(&author, 1, now() - 2, &[], "");
    let relay = Relay::holding(vec![message.clone(), wrap.clone(), public.clone()]).await;
    let by_id = format!(r#"{{"ids":["{}"]}}"#, id(&message));

    let mut nobody = relay.client().await;
    let reason = nobody.refusal(r#"["REQ","s",{"kinds":[4]}]"#, "CLOSED", "s").await;
    assert!(reason.starts_with("auth-required: "), "{reason}");
    assert_eq!(nobody.subscribe("s", "{}").await, ids([&public]));
    assert!(nobody.subscribe("s", &by_id).await.is_empty());
    assert_eq!(nobody.subscribe("s", r#"{"kinds":[1,4]}"#).await, ids([&public]));

    let mut other = relay.client().await;
    other.authenticate(&stranger).await;
    assert!(other.subscribe("s", r#"{"kinds":[4,1059]}"#).await.is_empty());

    for (who, expected) in [(&reader, ids([&message, &wrap])), (&author, ids([&message]))] {
        let mut party = relay.client().await;
        party.authenticate(who).await;
        assert_eq!(party.subscribe("s", r#"{"kinds":[4,1059]}"#).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_kinds_are_delivered_to_their_parties_only() {
    let relay = Relay::start(|_| {}).await;
    let to = keys(2).pubkey().to_string();
    let (mut nobody, mut stranger) = (relay.client().await, relay.client().await);
    let mut reader = relay.client().await;
    stranger.authenticate(&keys(3)).await;
    nobody.subscribe("s", "{}").await;
    stranger.subscribe("s", "{}").await;
    reader.subscribe("s", "{}").await;
    reader.authenticate(&keys(2)).await;
    let stored = event(&keys(1), 1059, now(), &[&["p", &to]], "");
    let ephemeral = event(&keys(1), 21059, now(), &[&["p", &to]], "");
    let public = note(&keys(1), "");
    let mut publisher = relay.client().await;
    for event in [&stored, &ephemeral, &public] {
        publisher.publish(event).await;
    }
    let mut found = vec![reader.live("s").await, reader.live("s").await, reader.live("s").await];
    let mut expected = ids([&stored, &ephemeral, &public]);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(nobody.live("s").await, id(&public));
    assert_eq!(stranger.live("s").await, id(&public));
    nobody.expect_silence().await;
    stranger.expect_silence().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_kinds_may_be_open_to_everybody() {
    let message = event(&keys(1), 4, now(), &[], "");
    let mut wiring = Wiring { events: vec![message.clone()], ..Wiring::default() };
    wiring.settings.access.privileged_open = true;
    let relay = Relay::wired(wiring).await;
    assert_eq!(relay.client().await.subscribe("s", r#"{"kinds":[4]}"#).await, ids([&message]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_event_comes_from_its_author_only() {
    let relay = Relay::start(|_| {}).await;
    let mut client = relay.client().await;
    let protected = event(&keys(1), 1, now(), &[&["-"]], "");
    let answer = client.publish(&protected).await;
    assert!(answer.reason.starts_with("auth-required: "), "{answer:?}");
    client.authenticate(&keys(2)).await;
    let answer = client.publish(&protected).await;
    assert!(answer.reason.starts_with("restricted: "), "{answer:?}");
    client.authenticate(&keys(1)).await;
    assert_eq!(client.publish(&protected).await, Answer::accepted());
}
