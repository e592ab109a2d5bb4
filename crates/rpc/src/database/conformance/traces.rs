//! Something of each kind, left at a service and found again after it was killed.

use prost::bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Channel, DatabaseServiceClient, client, event, keys, note, pubkey, raw_id, wire};
use crate::Address;
use crate::proto::orlydb::v1 as proto;

const BLOB: &[u8] = &[7; 100_000];

/// Leaves something of each kind.
pub async fn leave(address: &Address) {
    let mut client = client(address);
    let gone = note(1, 100);
    let request = event(1, 5, 500, &[&["e", &super::id(&gone)]], "");
    for event in [&gone, &note(2, 101), &request] {
        client.save_event(proto::SaveEventRequest { event: wire(event) }).await.unwrap();
    }
    let secret_key = Bytes::copy_from_slice(&keys(9).to_secret());
    let request = proto::SetRelayIdentitySecretRequest { secret_key };
    client.set_relay_identity_secret(request).await.unwrap();
    let request = proto::SetMarkerRequest { key: "key".into(), value: "value".into() };
    client.set_marker(request).await.unwrap();
    let request = proto::AddNip43MemberRequest { pubkey: pubkey(3), invite_code: "c".into() };
    client.add_nip43_member(request).await.unwrap();
    let request = proto::ExtendSubscriptionRequest { pubkey: pubkey(3), days: 7 };
    client.extend_subscription(request).await.unwrap();
    let pubkey_hex = keys(3).pubkey().to_string();
    let request = proto::ClaimAliasRequest { alias: "anna".into(), pubkey_hex };
    client.claim_alias(request).await.unwrap();
    let request = proto::SaveBlobRequest {
        sha256_hash: Bytes::from(Sha256::digest(BLOB).to_vec()),
        data: Bytes::from_static(BLOB),
        pubkey: pubkey(3),
        ..Default::default()
    };
    client.save_blob(request).await.unwrap();
    let request = proto::SaveThumbnailRequest { key: "key".into(), data: "small".into() };
    client.save_thumbnail(request).await.unwrap();
}

/// All that was left must be there.
pub async fn find(address: &Address) {
    let mut client = client(address);
    find_events(&mut client).await;
    let secret = client.get_relay_identity_secret(proto::Empty {}).await.unwrap().into_inner();
    assert_eq!(secret.secret_key[..], keys(9).to_secret());
    let request = proto::GetMarkerRequest { key: "key".into() };
    let marker = client.get_marker(request).await.unwrap().into_inner();
    assert_eq!(marker.value, "value");
    let request = proto::GetNip43MembershipRequest { pubkey: pubkey(3) };
    let membership = client.get_nip43_membership(request).await.unwrap().into_inner();
    assert_eq!(membership.invite_code, "c");
    let request = proto::GetSubscriptionRequest { pubkey: pubkey(3) };
    assert!(client.get_subscription(request).await.unwrap().into_inner().paid_until > 0);
    let request = proto::GetPubkeyByAliasRequest { alias: "anna".into() };
    let owner = client.get_pubkey_by_alias(request).await.unwrap().into_inner();
    assert_eq!(owner.pubkey_hex, keys(3).pubkey().to_string());
    let sha256_hash = Bytes::from(Sha256::digest(BLOB).to_vec());
    let blob = client.get_blob(proto::GetBlobRequest { sha256_hash }).await.unwrap().into_inner();
    assert!(blob.data == BLOB && blob.metadata.is_some());
    let request = proto::GetThumbnailRequest { key: "key".into() };
    let picture = client.get_thumbnail(request).await.unwrap().into_inner();
    assert_eq!(picture.data, "small");
}

async fn find_events(client: &mut DatabaseServiceClient<Channel>) {
    let ids = vec![raw_id(&note(1, 100)), raw_id(&note(2, 101))];
    let request = proto::GetSerialsByIdsRequest { ids };
    let found = client.get_serials_by_ids(request).await.unwrap().into_inner().serials;
    assert_eq!(found.into_keys().collect::<Vec<_>>(), [super::id(&note(2, 101))]);
    let request = proto::CheckForDeletedRequest { event: wire(&note(1, 100)), admins: vec![] };
    assert!(client.check_for_deleted(request).await.is_err());
}
