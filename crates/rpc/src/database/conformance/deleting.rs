//! Taking events out.

use tonic::Code;

use super::{DatabaseEngine, Subject, event, fails, fresh, id, keys, note, pubkey, raw_id, wire};
use crate::proto::orlydb::v1 as proto;

pub async fn events_go_by_id_and_by_serial(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (one, two) = (note(1, 100), note(1, 101));
    subject.accepts(&[&one, &two]).await;
    let request = proto::DeleteEventRequest { event_id: raw_id(&one) };
    subject.client.delete_event(request.clone()).await.unwrap();
    subject.client.delete_event(request).await.unwrap();
    subject.holds(&[&two]).await;
    let request = proto::GetSerialByIdRequest { id: raw_id(&two) };
    let serial = subject.client.get_serial_by_id(request).await.unwrap().into_inner().serial;
    let request = proto::DeleteEventBySerialRequest { serial, event: wire(&one) };
    let refused = subject.client.delete_event_by_serial(request).await;
    fails(refused, Code::FailedPrecondition, &id(&two));
    let request = proto::DeleteEventBySerialRequest { serial, event: wire(&two) };
    subject.client.delete_event_by_serial(request).await.unwrap();
    subject.holds(&[]).await;
    // Both may come back.
    subject.accepts(&[&one, &two]).await;
    subject.client.delete_expired(proto::Empty {}).await.unwrap();
    subject.holds(&[&one, &two]).await;
}

async fn process(subject: &mut Subject, request: &event::Event, admins: &[u8]) {
    let admins = admins.iter().map(|&number| pubkey(number)).collect();
    let request = proto::ProcessDeleteRequest { event: wire(request), admins };
    subject.client.process_delete(request).await.unwrap();
}

pub async fn a_request_takes_out_what_its_author_may(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (own, others) = (note(1, 100), note(2, 100));
    let wiki = |author, d: &str| event(author, 30_023, 100, &[&["d", d]], "");
    let (bare, named, later) =
        (event(1, 30_023, 100, &[], ""), wiki(1, "a"), event(1, 30_023, 900, &[&["d", "b"]], ""));
    subject.accepts(&[&own, &others, &bare, &named, &later]).await;
    let address = |author: u8, d: &str| format!("30023:{}:{d}", keys(author).pubkey());
    let request = event(
        1,
        5,
        500,
        &[
            &["e", &id(&own)],
            &["e", &id(&others)],
            &["a", &address(1, "")],
            &["a", &address(1, "b")],
            &["a", &address(2, "a")],
        ],
        "",
    );
    process(&mut subject, &request, &[3]).await;
    subject.holds(&[&others, &named, &later]).await;
    let refused = subject.save(&own).await;
    fails(refused, Code::FailedPrecondition, "save event failed: blocked: event");
    let wrong = proto::ProcessDeleteRequest { event: wire(&own), admins: vec![] };
    let refused = subject.client.process_delete(wrong).await;
    fails(refused, Code::InvalidArgument, "event.kind: 1 is not 5");
}

pub async fn an_admins_request_takes_out_what_others_wrote(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (one, two) = (note(1, 100), event(2, 30_023, 100, &[&["d", "x"]], ""));
    subject.accepts(&[&one, &two]).await;
    let address = format!("30023:{}:x", keys(2).pubkey());
    let request = event(3, 5, 500, &[&["e", &id(&one)], &["a", &address]], "");
    process(&mut subject, &request, &[]).await;
    subject.holds(&[&one, &two]).await;
    process(&mut subject, &request, &[3]).await;
    subject.holds(&[]).await;
}

pub async fn deleted_events_are_told_from_others(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let (own, others, wiki) =
        (note(1, 100), note(2, 100), event(2, 30_023, 100, &[&["d", "x"]], ""));
    let address = format!("30023:{}:x", keys(2).pubkey());
    let by_author = event(1, 5, 500, &[&["e", &id(&own)]], "");
    let by_admin = event(3, 5, 500, &[&["e", &id(&others)], &["a", &address]], "");
    subject.accepts(&[&by_author, &by_admin]).await;
    for (event, admins, is_deleted) in [
        (&own, vec![], true),
        (&others, vec![], false),
        (&others, vec![pubkey(4)], false),
        (&others, vec![pubkey(3)], true),
        (&wiki, vec![pubkey(3)], true),
        (&note(4, 1), vec![pubkey(3)], false),
    ] {
        let request = proto::CheckForDeletedRequest { event: wire(event), admins };
        let answer = subject.client.check_for_deleted(request).await;
        if is_deleted {
            let text =
                format!("check for deleted failed: blocked: event {} was deleted", id(event));
            fails(answer, Code::FailedPrecondition, &text);
        } else {
            answer.unwrap();
        }
    }
}
