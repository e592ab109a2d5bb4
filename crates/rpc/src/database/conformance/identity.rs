//! The relay's own key.

use event::{Event, Keys, Verifier};
use tonic::Code;

use super::{DatabaseEngine, fails, fresh, keys, pubkey};
use crate::proto::orlydb::v1 as proto;

pub async fn the_secret_is_made_once_and_can_be_set(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let client = &mut subject.client;
    let absent = client.get_relay_identity_secret(proto::Empty {}).await;
    fails(absent, Code::NotFound, "get relay identity secret failed");
    let made = client.get_or_create_relay_identity_secret(proto::Empty {}).await.unwrap();
    let made = made.into_inner().secret_key;
    assert_eq!(made.len(), 32);
    let again = client.get_or_create_relay_identity_secret(proto::Empty {}).await.unwrap();
    assert_eq!(again.into_inner().secret_key, made);
    for (secret_key, reason) in [(vec![1; 31], "expected 32 bytes"), (vec![0; 32], "no secret key")]
    {
        let request = proto::SetRelayIdentitySecretRequest { secret_key: secret_key.into() };
        let refused = client.set_relay_identity_secret(request).await;
        fails(refused, Code::InvalidArgument, reason);
    }
    let request = proto::SetRelayIdentitySecretRequest { secret_key: vec![9; 32].into() };
    client.set_relay_identity_secret(request).await.unwrap();
    let found = client.get_relay_identity_secret(proto::Empty {}).await.unwrap();
    assert_eq!(found.into_inner().secret_key, vec![9; 32]);
}

pub async fn membership_is_published_in_the_relays_name(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    for number in [1, 2] {
        let request =
            proto::AddNip43MemberRequest { pubkey: pubkey(number), invite_code: String::new() };
        subject.client.add_nip43_member(request).await.unwrap();
    }
    for kind in [8000, 8001, 13_534, 13_534] {
        let request = proto::PublishNip43MembershipEventRequest { kind, pubkey: pubkey(1) };
        subject.client.publish_nip43_membership_event(request).await.unwrap();
    }
    let wrong = proto::PublishNip43MembershipEventRequest { kind: 1, pubkey: pubkey(1) };
    let refused = subject.client.publish_nip43_membership_event(wrong).await;
    fails(refused, Code::InvalidArgument, "kind: 1 is not");
    let secret = subject.client.get_relay_identity_secret(proto::Empty {}).await.unwrap();
    let secret: [u8; 32] = secret.into_inner().secret_key[..].try_into().unwrap();
    let relay = Keys::from_secret(secret).unwrap().pubkey();
    for (kind, tag, members) in
        [(8000, "p", &[1][..]), (8001, "p", &[1]), (13_534, "member", &[1, 2])]
    {
        let filter = Some(proto::Filter { kinds: vec![kind], ..Default::default() });
        let request = proto::QueryEventsRequest { filter };
        let stream = subject.client.query_events(request).await.unwrap();
        let batch = stream.into_inner().message().await.unwrap().unwrap();
        let [event] = <[proto::Event; 1]>::try_from(batch.events).unwrap();
        let event = Event::try_from(event).unwrap();
        assert_eq!(Verifier::default().verify(event.as_ref()), Ok(()));
        assert_eq!(event.as_ref().pubkey(), relay);
        assert!(event.as_ref().tags().iter().any(|tag| tag.name() == Some("-")));
        let mut named: Vec<String> =
            event.as_ref().tags().values_of(tag).map(String::from).collect();
        let mut expected: Vec<String> =
            members.iter().map(|&number| keys(number).pubkey().to_string()).collect();
        named.sort();
        expected.sort();
        assert_eq!(named, expected);
    }
}
