//! Clients that do not keep to the protocol.

use event::Event;
use reconcile::FrameSizeLimit;
use store::Viewer;
use store::conformance::{ALICE, note};

use super::Host;
use super::subject::{begin, ids, key, query, set};
use crate::SessionSettings;

/// Messages that are none: cut, endless, out of order, of no known mode.
const MALFORMED: [&[u8]; 6] = [
    &[],
    &[0x61, 0xff],
    &[0x61, 0, 0, 0xff],
    &[0x61, 0, 0, 3],
    &[0x61, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0x61, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf0],
];

pub async fn malformed_messages_end_the_session(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    subject.take(&[note(&ALICE, 1000, "")]).await;
    let (session, other) = (key(1, "a"), key(1, "b"));
    subject.open(&other).await.unwrap();
    for message in MALFORMED {
        subject.open(&session).await.unwrap();
        let refusal = subject.reconciler.message(&session, message.to_vec()).await.unwrap_err();
        assert!(refusal.reason.starts_with("closed: "), "{message:x?}: {refusal}");
        assert!(subject.is_unknown(&session).await, "{message:x?}");
    }
    assert!(!subject.is_unknown(&other).await);
}

pub async fn a_malformed_first_message_opens_none(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    subject.open(&key(1, "b")).await.unwrap();
    for message in MALFORMED {
        let query = query("{}", Viewer::OPERATOR);
        let session = key(1, "b");
        let opened = subject.reconciler.open(session.clone(), query, message.to_vec()).await;
        let refusal = opened.unwrap_err();
        assert!(refusal.reason.starts_with("closed: "), "{message:x?}: {refusal}");
        assert!(subject.is_unknown(&session).await, "what was open is replaced all the same");
    }
    subject.until_open(0).await;
}

pub async fn a_later_version_of_the_protocol_is_answered_by_ours(host: &dyn Host) {
    let subject = host.fresh(SessionSettings::default()).await;
    for message in [&[0x62][..], &[0x62, 0, 0, 2, 0], &[0x6f, 0]] {
        let query = query("{}", Viewer::OPERATOR);
        let answer = subject.reconciler.open(key(1, "a"), query, message.to_vec()).await;
        assert_eq!(answer.unwrap(), [0x61]);
    }
}

pub async fn answers_keep_to_the_frame_size_limit(host: &dyn Host) {
    let frame_size_limit = FrameSizeLimit::new(4096).unwrap();
    let settings = SessionSettings { frame_size_limit, ..SessionSettings::default() };
    let subject = host.fresh(settings).await;
    let notes: Vec<Event> = (0..500).map(|at| note(&ALICE, 1000, &at.to_string())).collect();
    subject.take(&notes).await;
    assert!(subject.open(&key(1, "a")).await.unwrap().len() <= 4096);
    let found = subject.reconcile("{}", Viewer::OPERATOR, &[]).await;
    assert_eq!(found.need, ids(&notes.iter().collect::<Vec<_>>()));
    // The same by whoever asks for all at once.
    let (_, first) = begin(&set(&notes));
    let query = query("{}", Viewer::OPERATOR);
    assert!(subject.reconciler.open(key(1, "c"), query, first).await.is_ok());
}
