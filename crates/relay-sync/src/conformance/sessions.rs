//! Sessions: how they go on, and when they end.

use std::time::Duration;

use event::Event;
use store::Viewer;
use store::conformance::{ALICE, note};

use super::Host;
use super::subject::{Difference, begin, ids, key, query, set};
use crate::SessionSettings;

fn notes(count: u64) -> Vec<Event> {
    (0..count).map(|at| note(&ALICE, 1000 + at / 3, &at.to_string())).collect()
}

pub async fn it_goes_on_until_each_side_knows_what_the_other_lacks(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    let all = notes(400);
    subject.take(&all[20..]).await;
    let found = subject.reconcile("{}", Viewer::OPERATOR, &all[..390]).await;
    let have = ids(&all[..20].iter().collect::<Vec<_>>());
    assert_eq!(found, Difference { have, need: ids(&all[390..].iter().collect::<Vec<_>>()) });
    let nothing = subject.reconcile("{}", Viewer::OPERATOR, &all[20..]).await;
    assert_eq!(nothing, Difference::default());
    subject.until_open(0).await;
}

pub async fn what_comes_in_meanwhile_does_no_harm(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    let all = notes(300);
    subject.take(&all[1..200]).await;
    let set = set(&all[..199]);
    let (mut initiator, first) = begin(&set);
    let session = key(1, "a");
    let query = query("{}", Viewer::OPERATOR);
    let mut answer = subject.reconciler.open(session.clone(), query, first).await.unwrap();
    let mut found = Difference::default();
    subject.take(&all[200..]).await;
    while let Some(next) = found.learn(&mut initiator, &set, &answer) {
        answer = subject.reconciler.message(&session, next).await.unwrap();
    }
    assert!(found.have.contains(&all[0].as_ref().id()));
    assert!(found.need.contains(&all[199].as_ref().id()));
}

pub async fn a_message_without_a_session_is_refused(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    assert!(subject.is_unknown(&key(1, "a")).await);
}

pub async fn a_closed_session_is_unknown(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    let (one, other) = (key(1, "a"), key(1, "b"));
    subject.open(&one).await.unwrap();
    subject.open(&other).await.unwrap();
    assert!(!subject.is_unknown(&one).await);
    subject.reconciler.close(&one).await;
    assert!(subject.is_unknown(&one).await);
    assert!(!subject.is_unknown(&other).await);
}

pub async fn closing_what_is_not_open_is_no_error(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    subject.reconciler.close(&key(1, "a")).await;
    subject.reconciler.close_connection(&7.into()).await;
    subject.open(&key(1, "a")).await.unwrap();
}

pub async fn opening_again_replaces_a_session(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    subject.take(&notes(3)).await;
    let session = key(1, "a");
    subject.open(&session).await.unwrap();
    let (_, first) = begin(&set(&[]));
    let narrower = query(r#"{"kinds":[7]}"#, Viewer::OPERATOR);
    let answer = subject.reconciler.open(session, narrower, first).await.unwrap();
    let (mut initiator, _) = begin(&set(&[]));
    let mut found = Difference::default();
    found.learn(&mut initiator, &set(&[]), &answer);
    assert_eq!(found, Difference::default());
    assert_eq!(subject.sessions.list().len(), 1);
}

pub async fn the_same_name_on_two_connections_is_two_sessions(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    let (one, other) = (key(1, "a"), key(2, "a"));
    subject.open(&one).await.unwrap();
    assert!(subject.is_unknown(&other).await);
    subject.open(&other).await.unwrap();
    subject.reconciler.close(&one).await;
    assert!(!subject.is_unknown(&other).await);
}

pub async fn names_may_be_any_text(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    let names = ["a\"b", "a\\b", "ü€", " ", "\n\u{1}", "a,b:c", &"é".repeat(64)];
    for name in names {
        subject.open(&key(1, name)).await.unwrap();
    }
    assert_eq!(subject.sessions.list().len(), names.len());
    for name in names {
        subject.reconciler.close(&key(1, name)).await;
    }
    subject.until_open(0).await;
}

pub async fn a_connection_that_ends_takes_its_sessions_along(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    let stays = key(2, "a");
    for session in [&key(1, "a"), &key(1, "b"), &stays] {
        subject.open(session).await.unwrap();
    }
    subject.reconciler.close_connection(&1.into()).await;
    subject.until_open(1).await;
    assert!(!subject.is_unknown(&stays).await);
}

pub async fn a_silent_session_ends(host: &dyn Host) {
    let timeout = Duration::from_millis(50);
    let subject = host.fresh(SessionSettings { timeout, ..SessionSettings::default() }).await;
    let session = key(1, "a");
    subject.open(&session).await.unwrap();
    subject.until_open(0).await;
    assert!(subject.is_unknown(&session).await);
    subject.open(&session).await.unwrap();
}

pub async fn a_connection_has_so_many_sessions_at_most(host: &dyn Host) {
    let settings = SessionSettings { sessions_per_connection: 2, ..SessionSettings::default() };
    let subject = host.fresh(settings).await;
    for name in ["a", "b"] {
        subject.open(&key(1, name)).await.unwrap();
    }
    let refusal = subject.open(&key(1, "c")).await.unwrap_err();
    assert!(refusal.reason.starts_with("rate-limited: 2 "), "{refusal}");
    subject.open(&key(1, "b")).await.unwrap();
    subject.open(&key(2, "c")).await.unwrap();
    subject.reconciler.close(&key(1, "a")).await;
    subject.open(&key(1, "c")).await.unwrap();
}

pub async fn there_are_so_many_sessions_at_most(host: &dyn Host) {
    let settings = SessionSettings { sessions: 2, ..SessionSettings::default() };
    let subject = host.fresh(settings).await;
    subject.open(&key(1, "a")).await.unwrap();
    subject.open(&key(2, "a")).await.unwrap();
    let refusal = subject.open(&key(3, "a")).await.unwrap_err();
    assert!(refusal.reason.starts_with("rate-limited: "), "{refusal}");
    subject.reconciler.close_connection(&1.into()).await;
    subject.open(&key(3, "a")).await.unwrap();
}
