//! Events and ids by serial.

use event::Event;
use tonic::Code;

use super::{DatabaseEngine, Subject, fails, fresh, id, note, pubkey, raw_id, wire};
use crate::proto::orlydb::v1 as proto;

async fn serial(subject: &mut Subject, event: &Event) -> u64 {
    let request = proto::GetSerialByIdRequest { id: raw_id(event) };
    let answer = subject.client.get_serial_by_id(request).await.unwrap().into_inner();
    assert!(answer.found);
    answer.serial
}

pub async fn events_are_found_by_serial_and_serials_by_id(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (one, two) = (note(1, 101), note(2, 100));
    subject.accepts(&[&one, &two]).await;
    let (first, second) = (serial(&mut subject, &one).await, serial(&mut subject, &two).await);
    assert!(0 < first && first < second);
    let client = &mut subject.client;
    let request = proto::FetchEventBySerialRequest { serial: second };
    let answer = client.fetch_event_by_serial(request).await.unwrap().into_inner();
    assert_eq!((answer.event, answer.found), (wire(&two), true));
    let serials = vec![second, 1 << 39, first];
    let request = proto::FetchEventsBySerialRequest { serials: serials.clone() };
    let answer = client.fetch_events_by_serials(request).await.unwrap().into_inner();
    let expected = [(first, wire(&one).unwrap()), (second, wire(&two).unwrap())];
    assert_eq!(answer.events, expected.into());
    let request = proto::GetSerialsByIdsRequest { ids: vec![raw_id(&one), raw_id(&note(1, 5))] };
    let answer = client.get_serials_by_ids(request).await.unwrap().into_inner();
    assert_eq!(answer.serials, [(id(&one), first)].into());
    let request = proto::GetFullIdPubkeyBySerialRequest { serial: first };
    let item = client.get_full_id_pubkey_by_serial(request).await.unwrap().into_inner();
    assert_eq!((&item.id, &item.pubkey), (&raw_id(&one), &pubkey(1)));
    assert_eq!((item.timestamp, item.serial), (101, first));
    let request = proto::GetFullIdPubkeyBySerialsRequest { serials };
    let items = client.get_full_id_pubkey_by_serials(request).await.unwrap().into_inner().items;
    assert_eq!(items.iter().map(|item| item.serial).collect::<Vec<_>>(), [second, first]);
}

pub async fn ranges_of_serials_have_no_gaps_of_their_own(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let notes: Vec<Event> = (0..5).map(|at| note(1, 100 - at)).collect();
    subject.accepts(&notes.iter().collect::<Vec<_>>()).await;
    let mut all = Vec::new();
    for note in &notes {
        all.push(serial(&mut subject, note).await);
    }
    for (start, end, expected) in
        [(0, 0, &all[..]), (all[1], all[3], &all[1..4]), (all[4] + 1, 0, &[])]
    {
        let range = Some(proto::Range { start, end, ..Default::default() });
        let request = proto::GetSerialsByRangeRequest { range };
        let answer = subject.client.get_serials_by_range(request).await.unwrap().into_inner();
        assert_eq!(answer.serials, expected);
    }
    for (start, count, expected) in [(0, 3, &all[..3]), (all[2], 100, &all[2..]), (1, 0, &[])] {
        let request = proto::EventIdsBySerialRequest { start, count };
        let answer = subject.client.event_ids_by_serial(request).await.unwrap().into_inner();
        assert_eq!(answer.event_ids, expected);
    }
    let range = Some(proto::Range { prefix: "x".into(), ..Default::default() });
    let request = proto::GetSerialsByRangeRequest { range };
    let answer = subject.client.get_serials_by_range(request).await;
    fails(answer, Code::InvalidArgument, "range.prefix");
}

pub async fn what_is_not_there_is_told_apart(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let request = proto::FetchEventBySerialRequest { serial: 7 };
    assert!(!client.fetch_event_by_serial(request).await.unwrap().into_inner().found);
    let request = proto::GetSerialByIdRequest { id: raw_id(&note(1, 1)) };
    assert!(!client.get_serial_by_id(request).await.unwrap().into_inner().found);
    let request = proto::GetFullIdPubkeyBySerialRequest { serial: 7 };
    let answer = client.get_full_id_pubkey_by_serial(request).await;
    fails(answer, Code::NotFound, "no event has the serial 7");
    let request = proto::DeleteEventBySerialRequest { serial: 7, event: None };
    let answer = client.delete_event_by_serial(request).await;
    fails(answer, Code::NotFound, "no event has the serial 7");
}
