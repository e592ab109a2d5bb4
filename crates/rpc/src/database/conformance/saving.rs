//! Saving an event.

use tonic::Code;

use super::{DatabaseEngine, event, fails, fresh, id, note, wire};
use crate::proto::orlydb::v1 as proto;

pub async fn a_new_event_is_stored_once(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let tags: &[&[&str]] = &[&["e", &"ab".repeat(32)], &["t", "x\"\n"], &[]];
    let event = event(1, 1, 100, tags, "text \u{1}\n\\");
    assert!(!subject.save(&event).await.unwrap());
    let text = format!("save event failed: blocked: event already exists: {}", id(&event));
    fails(subject.save(&event).await, Code::AlreadyExists, &text);
    let request = proto::QueryEventsRequest { filter: Some(proto::Filter::default()) };
    let mut stream = subject.client.query_events(request).await.unwrap().into_inner();
    let batch = stream.message().await.unwrap().unwrap();
    assert_eq!(batch.events, [wire(&event).unwrap()]);
}

pub async fn refusals_have_their_code_and_text(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let cases = [
        (
            event(1, 20_001, 100, &[], ""),
            Code::InvalidArgument,
            "blocked: ephemeral events should not be stored",
        ),
        (
            event(1, 3, 100, &[&["e", "x"]], ""),
            Code::InvalidArgument,
            "blocked: kind 3 follow list events must have at least one p tag",
        ),
        (
            event(1, 1, 100, &[&["expiration", "101"]], ""),
            Code::FailedPrecondition,
            "blocked: event is expired",
        ),
    ];
    for (event, code, text) in cases {
        fails(subject.save(&event).await, code, &format!("save event failed: {text}"));
    }
    subject.holds(&[]).await;
}

pub async fn a_newer_version_replaces_and_says_so(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let wiki = |at| event(1, 30_023, at, &[&["d", "a"]], "");
    let profile = |at| event(1, 0, at, &[], "");
    for (old, new, kind) in
        [(profile(100), profile(101), "replaceable"), (wiki(100), wiki(101), "addressable")]
    {
        assert!(!subject.save(&old).await.unwrap());
        let request = proto::GetSerialByIdRequest { id: super::raw_id(&old) };
        let serial = subject.client.get_serial_by_id(request).await.unwrap().into_inner().serial;
        let request = proto::WouldReplaceEventRequest { event: wire(&new) };
        let would = subject.client.would_replace_event(request).await.unwrap().into_inner();
        assert!(would.would_replace);
        assert_eq!(would.replaced_serials, [serial]);
        assert!(subject.save(&new).await.unwrap());
        let text = format!("blocked: event is older than existing {kind} event");
        fails(subject.save(&old).await, Code::FailedPrecondition, &text);
        let request = proto::WouldReplaceEventRequest { event: wire(&old) };
        let refused = subject.client.would_replace_event(request).await;
        fails(refused, Code::FailedPrecondition, &text);
    }
    let request = proto::WouldReplaceEventRequest { event: wire(&note(1, 5)) };
    let would = subject.client.would_replace_event(request).await.unwrap().into_inner();
    assert_eq!(would, proto::WouldReplaceEventResponse::default());
}

pub async fn what_its_author_did_not_sign_is_refused(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let event = wire(&note(1, 100)).unwrap();
    let forged = proto::Event { sig: wire(&note(1, 101)).unwrap().sig, ..event.clone() };
    let request = proto::SaveEventRequest { event: Some(forged) };
    let text = "save event failed: invalid: sig is not a valid signature";
    fails(subject.client.save_event(request).await, Code::InvalidArgument, text);
    let request = proto::SaveEventRequest { event: Some(event) };
    subject.client.save_event(request).await.unwrap();
}

pub async fn what_is_no_event_is_named(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let good = wire(&note(1, 100)).unwrap();
    let cases = [
        (None, "invalid: event: missing"),
        (
            Some(proto::Event { id: vec![0; 3].into(), ..good.clone() }),
            "invalid: id: expected 32 bytes, found 3",
        ),
        (Some(proto::Event { kind: 70_000, ..good.clone() }), "invalid: kind: 70000 is more"),
        (
            Some(proto::Event { content: vec![0xff].into(), ..good.clone() }),
            "blocked: event content is not valid UTF-8",
        ),
        (
            Some(proto::Event { content: "another".into(), ..good }),
            "invalid: id is not the hash of the event",
        ),
    ];
    for (event, text) in cases {
        let saved = subject.client.save_event(proto::SaveEventRequest { event }).await;
        fails(saved, Code::InvalidArgument, &format!("save event failed: {text}"));
    }
}
