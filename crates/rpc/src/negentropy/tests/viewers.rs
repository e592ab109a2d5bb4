//! Who reads: said by our relay, not by others.

use event::Event;
use store::EventStore;
use store::conformance::{ALICE, BOB, event, note};

use super::house::House;
use crate::proto::orlysync::negentropy::v1::{NegMsgRequest, NegOpenRequest};

/// A message that asks for every id.
const ALL: [u8; 5] = [0x61, 0, 0, 2, 0];

fn open(connection: &str) -> NegOpenRequest {
    NegOpenRequest {
        subscription_id: "a".into(),
        filter: None,
        initial_message: ALL.to_vec().into(),
        connection_id: connection.into(),
    }
}

fn holds(message: &[u8], event: &Event) -> bool {
    message.windows(32).any(|window| window == event.as_ref().id().as_bytes())
}

#[tokio::test]
async fn a_relay_that_does_not_say_is_told_of_no_private_kinds() {
    let house = House::new().await;
    let secret = event(&ALICE, 4, 1000, &[&["p", &BOB.pubkey().to_string()]], "");
    let public = note(&ALICE, 1001, "");
    house.store.save(vec![secret.clone(), public.clone()]).await.unwrap();
    let mut client = house.client();
    let answer = client.handle_neg_open(open("go-1")).await.unwrap().into_inner();
    assert_eq!(answer.error, "");
    assert!(holds(&answer.message, &public) && !holds(&answer.message, &secret));
    assert!(!answer.complete);
    assert!(answer.have_ids.is_empty() && answer.need_ids.is_empty());
    for viewer in ["operator", &ALICE.pubkey().to_string(), &BOB.pubkey().to_string()] {
        let mut request = tonic::Request::new(open("ours-1"));
        request.metadata_mut().insert("orly-viewer", viewer.parse().unwrap());
        let answer = client.handle_neg_open(request).await.unwrap();
        assert_eq!(answer.metadata().get("orly-viewer").unwrap(), "heeded");
        assert!(holds(&answer.get_ref().message, &secret), "{viewer}");
    }
}

#[tokio::test]
async fn a_viewer_that_is_none_is_refused() {
    let house = House::new().await;
    let mut request = tonic::Request::new(open("c"));
    request.metadata_mut().insert("orly-viewer", "everybody".parse().unwrap());
    let answer = house.client().handle_neg_open(request).await.unwrap().into_inner();
    assert_eq!(answer.error, "invalid: orly-viewer: expected operator, or pubkeys in hex");
    assert!(house.sessions.list().is_empty());
}

#[tokio::test]
async fn an_answer_without_a_question_is_complete() {
    let house = House::new().await;
    let mut client = house.client();
    let opened = client.handle_neg_open(open("c")).await.unwrap().into_inner();
    assert_eq!((&opened.message[..], opened.complete), (&[0x61, 0, 0, 2, 0][..], false));
    let message = vec![0x61].into();
    let request = NegMsgRequest { subscription_id: "a".into(), message, connection_id: "c".into() };
    let answer = client.handle_neg_msg(request).await.unwrap().into_inner();
    assert_eq!((&answer.message[..], answer.complete), (&[0x61][..], true));
}
