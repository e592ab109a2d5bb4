//! Import and export.

use event::Event;
use futures_util::stream;
use tonic::Code;

use super::{DatabaseEngine, Subject, event, fails, fresh, note, pubkey};
use crate::proto::orlydb::v1 as proto;

async fn import(subject: &mut Subject, text: &[u8], chunk: usize) -> (i64, i64) {
    let chunks: Vec<_> =
        text.chunks(chunk).map(|data| proto::ImportChunk { data: data.to_vec().into() }).collect();
    let answer = subject.client.import(stream::iter(chunks)).await.unwrap().into_inner();
    (answer.events_imported, answer.events_skipped)
}

async fn export(subject: &mut Subject, pubkeys: Vec<prost::bytes::Bytes>) -> Vec<u8> {
    let request = proto::ExportRequest { pubkeys };
    let mut stream = subject.client.export(request).await.unwrap().into_inner();
    let mut text = Vec::new();
    while let Some(chunk) = stream.message().await.unwrap() {
        assert!(!chunk.data.is_empty() && chunk.data.len() <= 64 << 10);
        text.extend_from_slice(&chunk.data);
    }
    text
}

fn lines(events: &[&Event]) -> Vec<u8> {
    events.iter().map(|event| event.as_ref().to_json() + "\n").collect::<String>().into_bytes()
}

pub async fn lines_are_imported_across_chunks_and_counted(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (one, two, three) = (note(1, 100), note(2, 100), note(1, 102));
    let forged = note(1, 103).as_ref().to_json().replace("a note", "another");
    let mut text = lines(&[&one, &two, &one]);
    text.extend_from_slice(format!("{forged}\n\nno event\n").as_bytes());
    text.extend_from_slice(three.as_ref().to_json().as_bytes());
    assert_eq!(import(&mut subject, &text, 100).await, (3, 3));
    assert_eq!(import(&mut subject, &text, 1 << 20).await, (0, 6));
    assert_eq!(import(&mut subject, b"", 1).await, (0, 0));
    subject.holds(&[&one, &two, &three]).await;
}

pub async fn an_export_is_imported_elsewhere(engine: &dyn DatabaseEngine) {
    let (mut from, mut to) = (fresh(engine).await, fresh(engine).await);
    let long = "x".repeat(50_000);
    let events: Vec<Event> = (0..8).map(|at| event(1 + at, 1, 100, &[], &long)).collect();
    from.accepts(&events.iter().collect::<Vec<_>>()).await;
    let text = export(&mut from, vec![]).await;
    assert_eq!(text, lines(&events.iter().collect::<Vec<_>>()));
    assert_eq!(import(&mut to, &text, 70_000).await, (8, 0));
    to.holds(&events.iter().collect::<Vec<_>>()).await;
    let own = export(&mut from, vec![pubkey(3), pubkey(2), pubkey(99)]).await;
    assert_eq!(own, lines(&[&events[1], &events[2]]));
    let refused = from.client.export(proto::ExportRequest { pubkeys: vec!["x".into()] }).await;
    fails(refused, Code::InvalidArgument, "export failed: invalid: pubkeys");
}

pub async fn strings_are_imported_and_no_policy_is_pretended(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (one, two) = (note(1, 100), note(2, 100));
    let spread = two.as_ref().to_json().replace(",\"kind\"", ",\n\"kind\"");
    let event_jsons = vec![one.as_ref().to_json(), spread, "x".into()];
    let request = |check_policy| proto::ImportEventsFromStringsRequest {
        event_jsons: event_jsons.clone(),
        check_policy,
    };
    let refused = subject.client.import_events_from_strings(request(true)).await;
    fails(refused, Code::FailedPrecondition, "check_policy");
    let answer = subject.client.import_events_from_strings(request(false)).await.unwrap();
    let answer = answer.into_inner();
    assert_eq!((answer.events_imported, answer.events_skipped), (2, 1));
    subject.holds(&[&one, &two]).await;
}
