//! Relays that break the protocol, on purpose or not: each is named for what it does, and nothing wrong
//! is stored.

use std::time::Duration;

use event::{Event, EventId};
use futures_util::SinkExt;
use relay_client::{ClientError, PeerUrl};
use relay_sync::{Direction, SyncFailure, SyncOptions};
use store::conformance::{ALICE, note};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::house::{House, options};
use crate::scripted::{Peer, Scripted};

fn impatient(direction: Direction) -> SyncOptions {
    let mut options = options(direction);
    options.client.timeout = Duration::from_millis(200);
    options
}

/// Synchronises down, which must fail and store nothing.
async fn failure(url: &PeerUrl, options: SyncOptions) -> ClientError {
    let here = House::new().await;
    let error = here.try_sync(url, options).await.unwrap_err();
    assert!(here.ids().await.is_empty());
    match error.failure {
        SyncFailure::Peer(error) => error,
        other => panic!("{other:?}"),
    }
}

/// A relay that answers each NEG-OPEN with this.
async fn answering(message: &'static str) -> Scripted {
    Scripted::start(move |mut peer| async move {
        loop {
            peer.answer_open(message).await;
        }
    })
    .await
}

/// A relay that names `offered`, and answers each REQ with `given` and EOSE.
async fn giving(offered: Vec<EventId>, given: Vec<String>) -> Scripted {
    Scripted::start(move |mut peer| {
        let (offered, given) = (offered.clone(), given.clone());
        async move {
            loop {
                let message = peer.hear().await;
                let sub = message[1].as_str().unwrap_or_default();
                if message[0] == "NEG-OPEN" {
                    let mut list = reconcile::message::MessageWriter::default();
                    list.id_list(reconcile::Bound::Infinity, &offered);
                    peer.say(format!(
                        r#"["NEG-MSG","{sub}","{}"]"#,
                        event::hex::encode(&list.finish())
                    ))
                    .await;
                } else if message[0] == "REQ" {
                    for event in &given {
                        peer.say(format!(r#"["EVENT","{sub}",{event}]"#)).await;
                    }
                    peer.say(format!(r#"["EOSE","{sub}"]"#)).await;
                }
            }
        }
    })
    .await
}

fn json(event: &Event) -> String {
    event.as_ref().to_json()
}

#[tokio::test]
async fn messages_that_are_none_end_the_synchronisation() {
    let cases = [
        ("6", "malformed NEG-MSG"),
        ("zz", "malformed NEG-MSG"),
        ("", "malformed message"),
        ("ff", "malformed message"),
        ("6180", "malformed message"),
        ("61000002fffffffff0", "malformed message"),
        // The second bound lies below the first.
        ("610601090001010100", "malformed message"),
        ("62", "version"),
    ];
    for (message, expected) in cases {
        let peer = answering(message).await;
        let error = failure(&peer.url, options(Direction::Down)).await;
        assert!(matches!(error, ClientError::Protocol { .. }), "{message}: {error:?}");
        assert!(error.to_string().contains(expected), "{message}: {error}");
    }
}

#[tokio::test]
async fn a_session_that_never_ends_is_ended() {
    let peer = Scripted::start(|mut peer: Peer| async move {
        let sub = peer.hear_of("NEG-OPEN").await;
        loop {
            // Whatever it is told, its fingerprint of everything is another.
            peer.say(format!(r#"["NEG-MSG","{sub}","61000001{}"]"#, "ab".repeat(16))).await;
            peer.hear_of("NEG-MSG").await;
        }
    })
    .await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(error.to_string().contains("the peer makes no progress"), "{error}");
}

#[tokio::test]
async fn events_named_and_not_given_end_it_after_some() {
    let ids = (0..3000_u32).map(|n| {
        let mut id = [7; 32];
        id[..4].copy_from_slice(&n.to_be_bytes());
        EventId::new(id)
    });
    let peer = giving(ids.collect(), Vec::new()).await;
    let here = House::new().await;
    let error = here.try_sync(&peer.url, options(Direction::Down)).await.unwrap_err();
    assert!(
        matches!(error.failure, SyncFailure::Withheld { missing: 1001..=1500 }),
        "{:?}",
        error.failure
    );
}

#[tokio::test]
async fn an_event_that_was_not_asked_for_ends_it() {
    let (asked, other) = (note(&ALICE, 1000, "asked"), note(&ALICE, 1000, "other"));
    let peer = giving(vec![asked.as_ref().id()], vec![json(&other)]).await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(error.to_string().contains("which was not asked for"), "{error}");
}

#[tokio::test]
async fn events_pushed_outside_any_subscription_are_not_stored() {
    let [a, b] = ["a", "b"].map(|text| note(&ALICE, 1000, text));
    let pushed = json(&a);
    let offered = b.as_ref().id();
    let given = json(&b);
    let peer = Scripted::start(move |mut peer: Peer| {
        let (pushed, given) = (pushed.clone(), given.clone());
        async move {
            loop {
                peer.say(format!(r#"["EVENT","neg0",{pushed}]"#)).await;
                let message = peer.hear().await;
                let sub = message[1].as_str().unwrap_or_default();
                if message[0] == "NEG-OPEN" {
                    let mut list = reconcile::message::MessageWriter::default();
                    list.id_list(reconcile::Bound::Infinity, &[offered]);
                    peer.say(format!(
                        r#"["NEG-MSG","{sub}","{}"]"#,
                        event::hex::encode(&list.finish())
                    ))
                    .await;
                } else if message[0] == "REQ" {
                    peer.say(format!(r#"["EVENT","{sub}",{given}]"#)).await;
                    peer.say(format!(r#"["EOSE","{sub}"]"#)).await;
                }
            }
        }
    })
    .await;
    let here = House::new().await;
    here.sync(&peer.url, Direction::Down).await;
    assert_eq!(here.ids().await, [b.as_ref().id()]);
}

#[tokio::test]
async fn a_flood_of_events_that_nobody_asked_for_ends_it() {
    let pushed = json(&note(&ALICE, 1000, "x"));
    let peer = Scripted::start(move |mut peer: Peer| {
        let pushed = pushed.clone();
        async move {
            peer.hear_of("NEG-OPEN").await;
            for _ in 0..1100 {
                peer.say(format!(r#"["EVENT","flood",{pushed}]"#)).await;
            }
            peer
        }
    })
    .await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(error.to_string().contains("events that were not asked for"), "{error}");
}

#[tokio::test]
async fn forged_events_are_left_out_and_named() {
    let [good, forged, changed] =
        ["good", "forged", "changed"].map(|text| note(&ALICE, 1000, text));
    let wrong_sig =
        json(&forged).replace(&forged.as_ref().sig().to_string(), &good.as_ref().sig().to_string());
    let wrong_id = json(&changed).replace("\"changed\"", "\"replaced\"");
    let offered = [&good, &forged, &changed].map(|event| event.as_ref().id()).to_vec();
    let peer = giving(offered, vec![json(&good), wrong_sig, wrong_id, "{}".into()]).await;
    let here = House::new().await;
    let report = here.sync(&peer.url, Direction::Down).await;
    assert_eq!(here.ids().await, [good.as_ref().id()]);
    assert_eq!((report.fetched, report.stored), (1, 1));
    assert!(report.invalid.iter().any(|(reason, _)| reason == "id is not the hash of the event"));
    assert!(
        report.invalid.iter().any(|(reason, _)| reason.contains("sig is not a valid signature"))
    );
    assert!(!report.moved_all(Direction::Down));
}

#[tokio::test]
async fn events_that_are_too_large_are_left_out() {
    let large = note(&ALICE, 1000, &"x".repeat(10_000));
    let peer = giving(vec![large.as_ref().id()], vec![json(&large)]).await;
    let here = House::new().await;
    let mut options = options(Direction::Down);
    options.client.max_event_bytes = 5000;
    let report = here.try_sync(&peer.url, options).await.unwrap();
    assert_eq!((report.fetched, report.invalid.total()), (0, 1));
    assert!(here.ids().await.is_empty());
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_it() {
    let peer = Scripted::start(|mut peer: Peer| async move {
        peer.say(format!(r#"["NOTICE","{}"]"#, "x".repeat(20_000))).await;
        peer
    })
    .await;
    let mut options = options(Direction::Down);
    options.client.max_message_bytes = 10_000;
    let error = failure(&peer.url, options).await;
    assert!(error.to_string().contains("a message is too large"), "{error}");
}

#[tokio::test]
async fn silence_is_not_waited_for_for_ever() {
    let note = note(&ALICE, 1000, "x");
    let id = note.as_ref().id();
    let to_open = Scripted::start(|mut peer: Peer| async move {
        peer.hear_of("NEG-OPEN").await;
        peer
    })
    .await;
    let to_message = Scripted::start(|mut peer: Peer| async move {
        peer.answer_open(&format!("61000001{}", "ab".repeat(16))).await;
        peer
    })
    .await;
    let to_req = Scripted::start(move |mut peer: Peer| async move {
        loop {
            peer.offer(&[id]).await;
        }
    })
    .await;
    let cases =
        [(to_open, "answer to NEG-OPEN"), (to_message, "answer to NEG-MSG"), (to_req, "EOSE")];
    for (peer, expected) in cases {
        let error = failure(&peer.url, impatient(Direction::Down)).await;
        assert!(
            matches!(error, ClientError::TimedOut { awaited, .. } if awaited == expected),
            "{error:?}"
        );
        assert!(error.to_string().contains("within 0.2s"), "{error}");
    }
    let to_event = giving(Vec::new(), Vec::new()).await;
    let here = House::new().await;
    here.take(&[&note]).await;
    let error = here.try_sync(&to_event.url, impatient(Direction::Up)).await.unwrap_err();
    let SyncFailure::Peer(ClientError::TimedOut { awaited: "OK", .. }) = error.failure else {
        panic!("{:?}", error.failure)
    };
    assert_eq!((error.report.sent, error.report.accepted), (1, 0));
}

#[tokio::test]
async fn a_socket_that_takes_nothing_in_is_not_waited_for_for_ever() {
    let peer = Scripted::start(|mut peer: Peer| async move {
        peer.offer(&[]).await;
        peer.offer(&[]).await;
        // From here on it does not read, and what is sent piles up.
        peer
    })
    .await;
    let here = House::new().await;
    let text = "x".repeat(200_000);
    let notes: Vec<Event> = (0..90).map(|at| note(&ALICE, 1000 + at, &text)).collect();
    here.take(&notes.iter().collect::<Vec<_>>()).await;
    let error = here.try_sync(&peer.url, impatient(Direction::Up)).await.unwrap_err();
    let SyncFailure::Peer(ClientError::TimedOut { awaited: "OK", .. }) = error.failure else {
        panic!("{:?}", error.failure)
    };
    assert!(error.report.sent < 90, "the queue of what is to be sent is bounded");
}

#[tokio::test]
async fn half_a_frame_and_an_end_are_told_from_each_other() {
    let cut_off = Scripted::start(|mut peer: Peer| async move {
        peer.hear_of("NEG-OPEN").await;
        // A text frame of 126 bytes, of which five come.
        drop(peer.0.get_mut().write_all(b"\x81\x7e\x00\x7e[\"NEG").await);
        drop(peer.0.get_mut().shutdown().await);
        peer
    })
    .await;
    let error = failure(&cut_off.url, options(Direction::Down)).await;
    assert!(matches!(error, ClientError::Closed { .. }), "{error:?}");
    let stalled = Scripted::start(|mut peer: Peer| async move {
        peer.hear_of("NEG-OPEN").await;
        drop(peer.0.get_mut().write_all(b"\x81\x7e\x00\x7e[\"NEG").await);
        peer
    })
    .await;
    let error = failure(&stalled.url, impatient(Direction::Down)).await;
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error:?}");
    let closed = Scripted::start(|mut peer: Peer| async move {
        peer.hear_of("NEG-OPEN").await;
        drop(peer.0.close(None).await);
        peer
    })
    .await;
    let error = failure(&closed.url, options(Direction::Down)).await;
    assert!(error.to_string().starts_with("the connection ended: "), "{error}");
}

#[tokio::test]
async fn binary_messages_and_other_json_end_it() {
    let binary = Scripted::start(|mut peer: Peer| async move {
        drop(peer.0.send(Message::binary(vec![1, 2])).await);
        peer
    })
    .await;
    let error = failure(&binary.url, options(Direction::Down)).await;
    assert!(error.to_string().contains("a binary message"), "{error}");
    let other = Scripted::start(|mut peer: Peer| async move {
        peer.say("{}").await;
        peer
    })
    .await;
    let error = failure(&other.url, options(Direction::Down)).await;
    assert!(error.to_string().contains("no JSON list"), "{error}");
}

/// A relay that refuses each NEG-OPEN with this.
async fn refusing(rest: &'static str) -> Scripted {
    Scripted::start(move |mut peer| async move {
        let mut asked = 0;
        loop {
            let sub = peer.hear_of("NEG-OPEN").await;
            asked += 1;
            assert!(asked < 100, "one refusal is enough");
            peer.say(format!(r#"["NEG-ERR","{sub}",{rest}]"#)).await;
        }
    })
    .await
}

#[tokio::test]
async fn refusals_keep_their_reason() {
    let peer = refusing(r#""blocked: you are banned""#).await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(
        matches!(&error, ClientError::Refused { reason } if reason == "blocked: you are banned"),
        "{error:?}"
    );
    let peer = refusing(r#""auth-required: who are you""#).await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(matches!(error, ClientError::AuthRequired { .. }), "{error:?}");
    let peer = refusing(r#""negentropy not enabled on this relay""#).await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(matches!(error, ClientError::NoNegentropy { .. }), "{error:?}");
}

#[tokio::test]
async fn a_relay_that_refuses_every_size_is_not_asked_for_ever() {
    let peer = refusing(r#""blocked: too many query results",10"#).await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(matches!(error, ClientError::TooLarge { max: Some(10), .. }), "{error:?}");
}

#[tokio::test]
async fn a_notice_that_negentropy_is_disabled_is_understood() {
    for notice in [
        "ERROR: bad msg: negentropy disabled",
        "unknown message type NEG-OPEN",
        "could not parse command",
    ] {
        let peer = Scripted::start(move |mut peer: Peer| async move {
            peer.hear_of("NEG-OPEN").await;
            peer.say(format!(r#"["NOTICE","{notice}"]"#)).await;
            peer
        })
        .await;
        let error = failure(&peer.url, options(Direction::Down)).await;
        assert!(matches!(error, ClientError::NoNegentropy { .. }), "{notice}: {error:?}");
        assert!(error.to_string().contains(notice), "{error}");
    }
}

#[tokio::test]
async fn a_relay_that_does_not_answer_is_asked_what_it_can_do() {
    let silent = |mut peer: Peer| async move {
        peer.hear_of("NEG-OPEN").await;
        peer
    };
    let without = Scripted::with_document(r#"{"supported_nips":[1,11]}"#, silent).await;
    let error = failure(&without.url, impatient(Direction::Down)).await;
    assert!(matches!(error, ClientError::NoNegentropy { .. }), "{error:?}");
    assert!(error.to_string().contains("does not list 77"), "{error}");
    let with = Scripted::with_document(r#"{"supported_nips":[1,77]}"#, silent).await;
    let error = failure(&with.url, impatient(Direction::Down)).await;
    assert!(matches!(error, ClientError::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: PeerUrl = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let error = failure(&url, options(Direction::Down)).await;
    assert!(matches!(error, ClientError::Connect { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("cannot connect to {url}"));
}

#[tokio::test]
async fn a_subscription_that_is_closed_keeps_its_reason() {
    let id = note(&ALICE, 1000, "x").as_ref().id();
    let peer = Scripted::start(move |mut peer: Peer| async move {
        peer.offer(&[]).await;
        peer.offer(&[id]).await;
        let sub = peer.hear_of("REQ").await;
        peer.say(format!(r#"["CLOSED","{sub}","rate-limited: slow down"]"#)).await;
        peer
    })
    .await;
    let error = failure(&peer.url, options(Direction::Down)).await;
    assert!(
        matches!(&error, ClientError::Refused { reason } if reason == "rate-limited: slow down"),
        "{error:?}"
    );
}
