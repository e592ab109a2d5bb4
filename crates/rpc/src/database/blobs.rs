//! Blobs (Blossom): bytes under their SHA-256, each owned by whoever uploaded it.
//!
//! A blob has one record an owner; the file goes when the last owner does. The file is written first
//! and removed last: a record never tells of bytes that were not there.

use event::{Pubkey, hex};
use prost::bytes::Bytes;
use sha2::{Digest, Sha256};
use store::StoreError;
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use super::files::Name;
use super::subscriptions::{pubkey, seconds_now};
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;
use crate::{DATABASE_MESSAGE_LIMIT, Malformed};

const SAVE: &str = "save blob";
const SAVE_METADATA: &str = "save blob metadata";
const GET: &str = "get blob";
const HAS: &str = "has blob";
const DELETE: &str = "delete blob";
const GET_METADATA: &str = "get blob metadata";
const REPORT: &str = "save blob report";
/// How large a blob may be: it has to come back in one message, with what is known of it.
const BLOB_BYTES: usize = DATABASE_MESSAGE_LIMIT - (4 << 10);
const TEXT_BYTES: usize = 255;
/// How long a report may be, and how many a blob may have.
const REPORT_BYTES: usize = 64 << 10;
const MOST_REPORTS: usize = 100;

impl Database {
    pub(super) async fn save_blob(
        &self,
        request: proto::SaveBlobRequest,
    ) -> Result<proto::Empty, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(SAVE)?;
        let owner = pubkey(&request.pubkey).or_fail(SAVE)?;
        check_blob(&sha256, &request.data).or_fail(SAVE)?;
        let metadata =
            metadata(&owner, request.data.len() as u64, request.mime_type, request.extension);
        let metadata = metadata.or_fail(SAVE)?;
        let _editing = self.editing.lock().await;
        if self.blobs.len(sha256).await.or_fail(SAVE)? != Some(request.data.len() as u64) {
            self.blobs.write(sha256, request.data).await.or_fail(SAVE)?;
        }
        self.put_blob(&sha256, &owner, &metadata).await.or_fail(SAVE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn save_blob_metadata(
        &self,
        request: proto::SaveBlobMetadataRequest,
    ) -> Result<proto::Empty, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(SAVE_METADATA)?;
        let owner = pubkey(&request.pubkey).or_fail(SAVE_METADATA)?;
        let size = u64::try_from(request.size)
            .map_err(|_| Malformed::new("size", format!("{} is negative", request.size)))
            .or_fail(SAVE_METADATA)?;
        let metadata = metadata(&owner, size, request.mime_type, request.extension);
        let metadata = metadata.or_fail(SAVE_METADATA)?;
        let _editing = self.editing.lock().await;
        self.put_blob(&sha256, &owner, &metadata).await.or_fail(SAVE_METADATA)?;
        Ok(proto::Empty {})
    }

    /// Notes an owner; who owned it before keeps the time of the first upload.
    async fn put_blob(
        &self,
        sha256: &Name,
        owner: &Pubkey,
        metadata: &proto::BlobMetadata,
    ) -> Result<(), StoreError> {
        let name = blob_name(sha256, &owner.to_string());
        let before = self.records.blobs.get(&name).await?;
        let uploaded = before.map_or(metadata.uploaded, |before| before.uploaded);
        let metadata = proto::BlobMetadata { uploaded, ..metadata.clone() };
        self.records.blobs.put(&name, &metadata).await?;
        self.records.blobs_of.put(&blob_of_name(owner, sha256), &proto::Empty {}).await
    }

    pub(super) async fn get_blob(
        &self,
        request: proto::GetBlobRequest,
    ) -> Result<proto::GetBlobResponse, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(GET)?;
        let metadata = self.first_owner(&sha256).await.or_fail(GET)?;
        let mut data = self.blobs.read(sha256).await.or_fail(GET)?;
        if let (None, Some(metadata)) = (&data, &metadata) {
            let read = self.relay_blobs.read(&sha256, &metadata.extension, BLOB_BYTES).await;
            data = read.or_fail(GET)?;
        }
        let found = data.is_some();
        Ok(proto::GetBlobResponse { found, data: data.unwrap_or_default(), metadata })
    }

    pub(super) async fn has_blob(
        &self,
        request: proto::HasBlobRequest,
    ) -> Result<proto::HasBlobResponse, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(HAS)?;
        let is_owned = self.first_owner(&sha256).await.or_fail(HAS)?.is_some();
        let exists = is_owned || self.blobs.len(sha256).await.or_fail(HAS)?.is_some();
        Ok(proto::HasBlobResponse { exists })
    }

    pub(super) async fn get_blob_metadata(
        &self,
        request: proto::GetBlobMetadataRequest,
    ) -> Result<proto::BlobMetadata, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(GET_METADATA)?;
        let found = self.first_owner(&sha256).await.or_fail(GET_METADATA)?;
        found.ok_or_else(|| failed(GET_METADATA, Code::NotFound, unknown(&sha256)))
    }

    pub(super) async fn delete_blob(
        &self,
        request: proto::DeleteBlobRequest,
    ) -> Result<proto::Empty, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(DELETE)?;
        let owner = pubkey(&request.pubkey).or_fail(DELETE)?;
        let _editing = self.editing.lock().await;
        let owners = self.owners(&sha256).await.or_fail(DELETE)?;
        let name = blob_name(&sha256, &owner.to_string());
        if owners.is_empty() {
            return Err(failed(DELETE, Code::NotFound, unknown(&sha256)));
        }
        // Whoever owns nothing of it is an admin: who may delete is the relay's to decide.
        let is_owned = owners.iter().any(|(other, _)| *other == name);
        let (gone, left): (Vec<_>, Vec<_>) =
            owners.into_iter().partition(|(other, _)| !is_owned || *other == name);
        for (name, metadata) in &gone {
            self.records.blobs.remove(name).await.or_fail(DELETE)?;
            if let Ok(owner) = pubkey(&metadata.pubkey) {
                let back = blob_of_name(&owner, &sha256);
                self.records.blobs_of.remove(&back).await.or_fail(DELETE)?;
            }
        }
        if left.is_empty() {
            self.blobs.remove(sha256).await.or_fail(DELETE)?;
            for (_, metadata) in gone {
                let removed = self.relay_blobs.remove(&sha256, &metadata.extension).await;
                removed.or_fail(DELETE)?;
            }
        }
        Ok(proto::Empty {})
    }

    pub(super) async fn save_blob_report(
        &self,
        request: proto::SaveBlobReportRequest,
    ) -> Result<proto::Empty, Status> {
        let sha256 = sha256(&request.sha256_hash).or_fail(REPORT)?;
        if request.report_data.len() > REPORT_BYTES {
            let reason = format!("more than {REPORT_BYTES} bytes");
            return Err(Malformed::new("report_data", reason)).or_fail(REPORT);
        }
        let start = hex::encode(&sha256) + ":";
        let _editing = self.editing.lock().await;
        let reports = self.records.blob_reports.list(&start).await.or_fail(REPORT)?;
        let name = start + &hex::encode(&Sha256::digest(&request.report_data));
        if reports.len() >= MOST_REPORTS && !reports.iter().any(|(known, _)| *known == name) {
            let text = format!("the blob has {MOST_REPORTS} reports already");
            return Err(failed(REPORT, Code::ResourceExhausted, text));
        }
        self.records.blob_reports.put(&name, &request).await.or_fail(REPORT)?;
        Ok(proto::Empty {})
    }

    /// The records of a blob, one an owner.
    async fn owners(
        &self,
        sha256: &Name,
    ) -> Result<Vec<(String, proto::BlobMetadata)>, StoreError> {
        self.records.blobs.list(&blob_name(sha256, "")).await
    }

    /// What is known of a blob, from who uploaded it first.
    async fn first_owner(&self, sha256: &Name) -> Result<Option<proto::BlobMetadata>, StoreError> {
        let owners = self.owners(sha256).await?.into_iter();
        Ok(owners.map(|(_, metadata)| metadata).min_by_key(|metadata| metadata.uploaded))
    }
}

/// The name of an owner's record.
pub(super) fn blob_name(sha256: &Name, owner: &str) -> String {
    format!("{}:{owner}", hex::encode(sha256))
}

/// The name of the way back.
pub(super) fn blob_of_name(owner: &Pubkey, sha256: &Name) -> String {
    format!("{owner}:{}", hex::encode(sha256))
}

fn sha256(bytes: &[u8]) -> Result<Name, Malformed> {
    fixed("sha256_hash", bytes)
}

fn check_blob(sha256: &Name, data: &Bytes) -> Result<(), Malformed> {
    if data.len() > BLOB_BYTES {
        return Err(Malformed::new("data", format!("more than {BLOB_BYTES} bytes")));
    }
    if Sha256::digest(data)[..] != sha256[..] {
        return Err(Malformed::new("sha256_hash", "is not that of data"));
    }
    Ok(())
}

fn metadata(
    owner: &Pubkey,
    size: u64,
    mime_type: String,
    extension: String,
) -> Result<proto::BlobMetadata, Malformed> {
    for (field, text) in [("mime_type", &mime_type), ("extension", &extension)] {
        if text.len() > TEXT_BYTES {
            return Err(Malformed::new(field, format!("more than {TEXT_BYTES} bytes")));
        }
    }
    Ok(proto::BlobMetadata {
        pubkey: Bytes::copy_from_slice(owner.as_bytes()),
        mime_type,
        size: i64::try_from(size).map_err(|_| Malformed::new("size", "too large"))?,
        uploaded: seconds_now(),
        extension,
    })
}

fn unknown(sha256: &Name) -> String {
    format!("no blob {} is known", hex::encode(sha256))
}
