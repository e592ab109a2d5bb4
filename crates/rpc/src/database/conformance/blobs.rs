//! Blobs and thumbnails.

use std::path::PathBuf;

use event::hex;
use prost::bytes::Bytes;
use sha2::{Digest, Sha256};
use tonic::Code;

use super::{DatabaseEngine, Subject, fails, fresh, keys, pubkey};
use crate::proto::orlydb::v1 as proto;

fn sha256(data: &[u8]) -> Bytes {
    Bytes::from(Sha256::digest(data).to_vec())
}

async fn save(subject: &mut Subject, data: &[u8], owner: u8) {
    let request = proto::SaveBlobRequest {
        sha256_hash: sha256(data),
        data: data.to_vec().into(),
        pubkey: pubkey(owner),
        mime_type: "image/png".into(),
        extension: ".png".into(),
    };
    subject.client.save_blob(request).await.unwrap();
}

async fn exists(subject: &mut Subject, data: &[u8]) -> bool {
    let request = proto::HasBlobRequest { sha256_hash: sha256(data) };
    subject.client.has_blob(request).await.unwrap().into_inner().exists
}

pub async fn blobs_come_back_whole(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let large = vec![7; 20 << 20];
    for data in [&b""[..], b"small", &large] {
        assert!(!exists(&mut subject, data).await);
        save(&mut subject, data, 1).await;
        assert!(exists(&mut subject, data).await);
        let request = proto::GetBlobRequest { sha256_hash: sha256(data) };
        let found = subject.client.get_blob(request).await.unwrap().into_inner();
        assert!(found.found && found.data == data);
        let metadata = found.metadata.unwrap();
        assert_eq!((metadata.pubkey.clone(), metadata.size), (pubkey(1), data.len() as i64));
        assert_eq!((&metadata.mime_type[..], &metadata.extension[..]), ("image/png", ".png"));
        let request = proto::GetBlobMetadataRequest { sha256_hash: sha256(data) };
        let known = subject.client.get_blob_metadata(request).await.unwrap().into_inner();
        assert_eq!(known, metadata);
    }
    let request = proto::GetBlobRequest { sha256_hash: sha256(b"absent") };
    assert!(!subject.client.get_blob(request).await.unwrap().into_inner().found);
    let request = proto::GetBlobMetadataRequest { sha256_hash: sha256(b"absent") };
    let absent = subject.client.get_blob_metadata(request).await;
    fails(absent, Code::NotFound, "get blob metadata failed: no blob");
    let request = proto::SaveBlobRequest {
        sha256_hash: sha256(b"x"),
        data: "y".into(),
        pubkey: pubkey(1),
        ..Default::default()
    };
    let refused = subject.client.save_blob(request).await;
    fails(refused, Code::InvalidArgument, "sha256_hash: is not that of data");
}

pub async fn a_blob_lives_as_long_as_an_owner(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    for owner in [1, 2] {
        save(&mut subject, b"shared", owner).await;
    }
    let delete =
        |owner| proto::DeleteBlobRequest { sha256_hash: sha256(b"shared"), pubkey: pubkey(owner) };
    subject.client.delete_blob(delete(1)).await.unwrap();
    assert!(exists(&mut subject, b"shared").await);
    subject.client.delete_blob(delete(2)).await.unwrap();
    assert!(!exists(&mut subject, b"shared").await);
    fails(subject.client.delete_blob(delete(2)).await, Code::NotFound, "no blob");
    for owner in [1, 2] {
        save(&mut subject, b"shared", owner).await;
    }
    // An admin's word ends it for all.
    subject.client.delete_blob(delete(3)).await.unwrap();
    assert!(!exists(&mut subject, b"shared").await);
    let all = subject.client.list_all_blob_user_stats(proto::Empty {}).await.unwrap();
    assert_eq!(all.into_inner().stats, []);
}

pub async fn listings_and_sums_agree(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    save(&mut subject, b"one", 1).await;
    save(&mut subject, b"shared", 1).await;
    save(&mut subject, b"shared", 2).await;
    let request = proto::SaveBlobMetadataRequest {
        sha256_hash: sha256(b"elsewhere"),
        size: 3 << 20,
        pubkey: pubkey(2),
        mime_type: "video/mp4".into(),
        extension: ".mp4".into(),
    };
    subject.client.save_blob_metadata(request).await.unwrap();
    let list =
        |owner, since, until| proto::ListBlobsRequest { pubkey: pubkey(owner), since, until };
    for (request, expected) in [
        (list(1, 0, 0), &["one", "shared"][..]),
        (list(2, 0, 0), &["elsewhere", "shared"]),
        (list(3, 0, 0), &[]),
        (list(1, 0, 1), &[]),
        (list(1, i64::MAX, 0), &[]),
    ] {
        let answer = subject.client.list_blobs(request).await.unwrap().into_inner();
        let mut found: Vec<String> =
            answer.descriptors.into_iter().map(|blob| blob.sha256).collect();
        let mut expected: Vec<String> =
            expected.iter().map(|data| hex::encode(&sha256(data.as_bytes()))).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }
    let all = subject.client.list_all_blobs(proto::Empty {}).await.unwrap().into_inner();
    assert_eq!(all.descriptors.len(), 3);
    for (owner, expected) in [(1, 1), (2, 4), (3, 0)] {
        let request = proto::GetTotalBlobStorageUsedRequest { pubkey: pubkey(owner) };
        let used = subject.client.get_total_blob_storage_used(request).await.unwrap();
        assert_eq!(used.into_inner().total_mb, expected);
    }
    let stats = subject.client.list_all_blob_user_stats(proto::Empty {}).await.unwrap();
    let stats: Vec<_> = stats
        .into_inner()
        .stats
        .into_iter()
        .map(|user| (user.pubkey_hex, user.blob_count, user.total_size_bytes))
        .collect();
    let owner = |number: u8| keys(number).pubkey().to_string();
    assert_eq!(stats, [(owner(2), 2, (3 << 20) + 6), (owner(1), 2, 9)]);
}

pub async fn lost_metadata_is_found_again(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    save(&mut subject, b"kept", 1).await;
    let path = subject.client.get_path(proto::Empty {}).await.unwrap().into_inner().path;
    let name = hex::encode(&sha256(b"lost"));
    let directory = PathBuf::from(path).join("blobs").join(&name[..2]);
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(&name), "lost").unwrap();
    for expected in [1, 0] {
        let answer = subject.client.reconcile_blob_metadata(proto::Empty {}).await.unwrap();
        assert_eq!(answer.into_inner().reconciled, expected);
    }
    let request = proto::GetBlobRequest { sha256_hash: sha256(b"lost") };
    let found = subject.client.get_blob(request).await.unwrap().into_inner();
    assert_eq!((&found.data[..], found.metadata.unwrap().size), (&b"lost"[..], 4));
    let request =
        proto::SaveBlobReportRequest { sha256_hash: sha256(b"lost"), report_data: "{}".into() };
    subject.client.save_blob_report(request).await.unwrap();
}

pub async fn a_file_that_a_relay_put_down_goes_with_its_owner(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let path = subject.client.get_path(proto::Empty {}).await.unwrap().into_inner().path;
    let directory = PathBuf::from(path).join("blossom");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join(hex::encode(&sha256(b"put down")) + ".txt");
    std::fs::write(&file, "put down").unwrap();
    let metadata = proto::SaveBlobMetadataRequest {
        sha256_hash: sha256(b"put down"),
        size: 8,
        pubkey: pubkey(1),
        mime_type: "text/plain".into(),
        extension: ".txt".into(),
    };
    subject.client.save_blob_metadata(metadata).await.unwrap();
    let request = proto::GetBlobRequest { sha256_hash: sha256(b"put down") };
    let found = subject.client.get_blob(request).await.unwrap().into_inner();
    assert_eq!((found.found, &found.data[..]), (true, &b"put down"[..]));
    let delete = proto::DeleteBlobRequest { sha256_hash: sha256(b"put down"), pubkey: pubkey(1) };
    subject.client.delete_blob(delete).await.unwrap();
    assert!(!file.exists());
}

pub async fn thumbnails_come_back(engine: &dyn DatabaseEngine) {
    let mut subject = fresh(engine).await;
    let key = || "../x/é\0 240x240".to_owned();
    let get = || proto::GetThumbnailRequest { key: key() };
    assert!(!subject.client.get_thumbnail(get()).await.unwrap().into_inner().found);
    for data in ["one", "another"] {
        let request = proto::SaveThumbnailRequest { key: key(), data: data.into() };
        subject.client.save_thumbnail(request).await.unwrap();
        let found = subject.client.get_thumbnail(get()).await.unwrap().into_inner();
        assert_eq!((found.found, &found.data[..]), (true, data.as_bytes()));
    }
    let request = proto::SaveThumbnailRequest { key: key(), data: vec![0; 5 << 20].into() };
    fails(subject.client.save_thumbnail(request).await, Code::InvalidArgument, "data: more than");
}
