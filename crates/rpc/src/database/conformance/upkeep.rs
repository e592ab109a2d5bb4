//! The service itself, its cache, and what it counts.

use tonic::Code;

use super::{DatabaseEngine, event, fails, fresh, note, raw_id, wire};
use crate::proto::orlydb::v1 as proto;

pub async fn the_service_tells_of_itself(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    assert!(client.ready(proto::Empty {}).await.unwrap().into_inner().ready);
    let path = client.get_path(proto::Empty {}).await.unwrap().into_inner().path;
    assert!(std::path::Path::new(&path).is_dir(), "{path}");
    client.sync(proto::Empty {}).await.unwrap();
    client.run_migrations(proto::Empty {}).await.unwrap();
    let level = |level: &str| proto::SetLogLevelRequest { level: level.into() };
    client.set_log_level(level("info")).await.unwrap();
    let refused = client.set_log_level(level("loud")).await;
    fails(refused, Code::InvalidArgument, "level: expected one of");
}

pub async fn answers_are_cached_until_the_store_changes(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let filter = || Some(proto::Filter { kinds: vec![1], ..Default::default() });
    let keep = || proto::CacheMarshaledJsonRequest {
        filter: filter(),
        json_items: vec!["{}".into(), "[]".into()],
    };
    let get = || proto::GetCachedJsonRequest { filter: filter() };
    let get_events = || proto::GetCachedEventsRequest { filter: filter() };
    assert!(!subject.client.get_cached_json(get()).await.unwrap().into_inner().found);
    subject.client.cache_marshaled_json(keep()).await.unwrap();
    let found = subject.client.get_cached_json(get()).await.unwrap().into_inner();
    assert_eq!((found.found, &found.json_items), (true, &keep().json_items));
    assert!(!subject.client.get_cached_events(get_events()).await.unwrap().into_inner().found);
    let events = vec![wire(&note(1, 100)).unwrap()];
    let request = proto::CacheEventsRequest { filter: filter(), events: events.clone() };
    subject.client.cache_events(request).await.unwrap();
    let found = subject.client.get_cached_events(get_events()).await.unwrap().into_inner();
    assert_eq!((found.found, &found.events), (true, &events));
    let events = vec![proto::Event { id: vec![1; 31].into(), ..events[0].clone() }];
    let request = proto::CacheEventsRequest { filter: filter(), events };
    let refused = subject.client.cache_events(request).await;
    fails(refused, Code::InvalidArgument, "id: expected 32 bytes, found 31");
    subject.accepts(&[&note(1, 5)]).await;
    assert!(!subject.client.get_cached_json(get()).await.unwrap().into_inner().found);
    subject.client.cache_marshaled_json(keep()).await.unwrap();
    let request = proto::DeleteEventRequest { event_id: raw_id(&note(1, 5)) };
    subject.client.delete_event(request).await.unwrap();
    assert!(!subject.client.get_cached_json(get()).await.unwrap().into_inner().found);
    subject.client.cache_marshaled_json(keep()).await.unwrap();
    subject.client.invalidate_query_cache(proto::Empty {}).await.unwrap();
    assert!(!subject.client.get_cached_json(get()).await.unwrap().into_inner().found);
}

pub async fn access_is_counted_once_a_connection(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let events = [note(1, 100), note(1, 101), note(1, 102), event(1, 1, 4_000_000_000, &[], "")];
    subject.accepts(&events.iter().collect::<Vec<_>>()).await;
    let request = proto::EventIdsBySerialRequest { start: 1, count: 9 };
    let serials = subject.client.event_ids_by_serial(request).await.unwrap().into_inner();
    let [one, two, three, _future] = serials.event_ids[..] else { panic!("{serials:?}") };
    for (serial, connection) in [(one, "a"), (one, "a"), (one, "b"), (two, "a")] {
        let request = proto::RecordEventAccessRequest { serial, connection_id: connection.into() };
        subject.client.record_event_access(request).await.unwrap();
    }
    for written in [false, true] {
        for (serial, count) in [(one, 2), (two, 1), (three, 0)] {
            let request = proto::GetEventAccessInfoRequest { serial };
            let known = subject.client.get_event_access_info(request).await.unwrap().into_inner();
            assert_eq!(known.access_count, count, "{written}");
            assert_eq!(known.last_access > 0, count > 0);
        }
        subject.client.sync(proto::Empty {}).await.unwrap();
    }
    for (limit, min_age_sec, expected) in
        [(9, 0, &[three, two, one][..]), (2, 0, &[three, two]), (9, 3600, &[three]), (0, 0, &[])]
    {
        let request = proto::GetLeastAccessedEventsRequest { limit, min_age_sec };
        let found = subject.client.get_least_accessed_events(request).await.unwrap().into_inner();
        assert_eq!(found.serials, expected);
    }
    let request = proto::RecordEventAccessRequest { serial: 0, connection_id: String::new() };
    fails(subject.client.record_event_access(request).await, Code::InvalidArgument, "serial");
}

pub async fn only_cypher_is_missing(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let request = proto::CypherReadRequest { cypher: "RETURN 1".into(), ..Default::default() };
    let answer = subject.client.execute_cypher_read(request).await;
    fails(answer, Code::Unimplemented, "execute cypher read failed");
}
