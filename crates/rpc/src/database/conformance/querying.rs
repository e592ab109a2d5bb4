//! Queries: as events, serials, ids, or a count.

use event::Event;
use prost::bytes::Bytes;
use tonic::Code;

use super::{DatabaseEngine, event, fails, fresh, id, note, pubkey, raw_id};
use crate::proto::orlydb::v1 as proto;

/// Services under test are started with this size of a batch.
pub const BATCH: usize = 10;

pub async fn answers_come_in_batches_newest_first(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let notes: Vec<Event> = (0..25).map(|at| note(1, 200 - at)).collect();
    subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    let request = proto::QueryEventsRequest { filter: Some(proto::Filter::default()) };
    for versions in [false, true] {
        let client = &mut subject.client;
        let stream = if versions {
            client.query_all_versions(request.clone()).await
        } else {
            client.query_events(request.clone()).await
        };
        let mut stream = stream.unwrap().into_inner();
        let (mut sizes, mut times) = (Vec::new(), Vec::new());
        while let Some(batch) = stream.message().await.unwrap() {
            sizes.push(batch.events.len());
            times.extend(batch.events.iter().map(|event| event.created_at));
        }
        assert_eq!(sizes, [BATCH, BATCH, 5]);
        assert!(times.is_sorted_by(|a, b| a > b));
    }
    let nothing = proto::Filter { kinds: vec![7], ..Default::default() };
    assert_eq!(subject.ids(nothing).await, Vec::<String>::new());
}

pub async fn filters_narrow_the_answer_in_every_form(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let named = "ab".repeat(32);
    let tagged = event(1, 1, 100, &[&["e", &named], &["t", "x y"]], "Good Morning");
    let other = event(2, 7, 200, &[&["e", &"cd".repeat(32)]], "");
    subject.accepts(&[&tagged, &other]).await;
    let tag = |key: &str, value: Vec<u8>| {
        let set = proto::TagSet { values: vec![value.into()] };
        proto::Filter { tags: [(key.to_owned(), set)].into(), ..Default::default() }
    };
    let packed = [&[0xab; 32][..], &[0]].concat();
    let filters = [
        proto::Filter { ids: vec![raw_id(&tagged)], ..Default::default() },
        proto::Filter { authors: vec![pubkey(1)], kinds: vec![1, 2], ..Default::default() },
        proto::Filter { since: Some(100), until: Some(199), ..Default::default() },
        proto::Filter { search: Some(Bytes::from("morning")), ..Default::default() },
        tag("t", b"x y".to_vec()),
        tag("#t", b"x y".to_vec()),
        tag("e", named.clone().into_bytes()),
        tag("#e", packed),
        tag("e", vec![0xab; 32]),
    ];
    for filter in filters {
        assert_eq!(subject.ids(filter.clone()).await, [id(&tagged)], "{filter:?}");
    }
}

pub async fn no_limit_and_a_limit_of_zero_differ(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let notes: Vec<Event> = (0..3).map(|at| note(1, 100 + at)).collect();
    subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    for (limit, expected) in [(None, 3), (Some(0), 0), (Some(2), 2)] {
        let filter = proto::Filter { limit, ..Default::default() };
        assert_eq!(subject.ids(filter).await.len(), expected, "{limit:?}");
    }
}

pub async fn deletion_requests_are_left_out_when_asked(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let target = "ab".repeat(32);
    let request = event(1, 5, 300, &[&["e", &target]], "");
    let (old, new) = (note(1, 100), note(1, 200));
    subject.accepts(&[&old, &new, &request]).await;
    for (include_delete_events, limit, expected) in [
        (true, None, vec![id(&request), id(&new), id(&old)]),
        (false, None, vec![id(&new), id(&old)]),
        (false, Some(1), vec![id(&new)]),
        (true, Some(1), vec![id(&request)]),
    ] {
        let question = proto::QueryEventsWithOptionsRequest {
            filter: Some(proto::Filter { limit, ..Default::default() }),
            include_delete_events,
            show_all_versions: false,
        };
        let stream = subject.client.query_events_with_options(question).await;
        let batch = stream.unwrap().into_inner().message().await.unwrap().unwrap();
        let found: Vec<String> =
            batch.events.into_iter().map(|event| id(&event.try_into().unwrap())).collect();
        assert_eq!(found, expected);
    }
    for (target, expected) in [(vec![0xab; 32], 1), (vec![0xcd; 32], 0)] {
        let question = proto::QueryDeleteEventsByTargetIdRequest { target_event_id: target.into() };
        let stream = subject.client.query_delete_events_by_target_id(question).await;
        let batch = stream.unwrap().into_inner().message().await.unwrap();
        assert_eq!(batch.map_or(0, |batch| batch.events.len()), expected);
    }
}

pub async fn serials_ids_and_counts_agree_with_the_events(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let notes: Vec<Event> = (0..12).map(|at| note(1, 100 + at)).collect();
    subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    let filter = Some(proto::Filter { since: Some(105), ..Default::default() });
    let request = proto::QueryEventsRequest { filter: filter.clone() };
    let client = &mut subject.client;
    let ids = client.query_for_ids(request.clone()).await.unwrap().into_inner().items;
    let found: Vec<Bytes> = ids.iter().map(|item| item.id.clone()).collect();
    assert_eq!(found, notes[5..].iter().rev().map(raw_id).collect::<Vec<_>>());
    assert!(ids.iter().all(|item| item.pubkey == pubkey(1) && item.timestamp >= 105));
    let serials: Vec<u64> = ids.iter().map(|item| item.serial).collect();
    let listed = client.query_for_serials(request.clone()).await.unwrap().into_inner().serials;
    assert_eq!(listed, serials);
    let asked = proto::GetSerialsFromFilterRequest { filter };
    let listed = client.get_serials_from_filter(asked).await.unwrap().into_inner().serials;
    assert_eq!(listed, serials);
    let count = client.count_events(request).await.unwrap().into_inner();
    assert_eq!(count, proto::CountEventsResponse { count: 7, approximate: false });
}

pub async fn a_malformed_filter_is_named(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let bad = Some(proto::Filter { ids: vec![Bytes::from_static(b"x")], ..Default::default() });
    let cases = [
        (None, "query events failed: invalid: filter: missing"),
        (bad, "query events failed: invalid: filter.ids: expected 32 bytes, found 1"),
    ];
    for (filter, text) in cases {
        let answer = subject.client.query_events(proto::QueryEventsRequest { filter }).await;
        fails(answer, Code::InvalidArgument, text);
    }
}
