//! Which blobs there are, whose, and how much they take.

use std::collections::{BTreeMap, HashSet};

use event::{Pubkey, hex};
use store::StoreError;
use tonic::Status;

use super::Database;
use super::blobs::{blob_name, blob_of_name};
use super::failure::OrFail;
use super::files::Name;
use super::subscriptions::{pubkey, seconds_now};
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;

const LIST: &str = "list blobs";
const LIST_ALL: &str = "list all blobs";
const TOTAL: &str = "get total blob storage used";
const STATS: &str = "list all blob user stats";
const RECONCILE: &str = "reconcile blob metadata";
const MIB: i64 = 1 << 20;

impl Database {
    pub(super) async fn list_blobs(
        &self,
        request: proto::ListBlobsRequest,
    ) -> Result<proto::ListBlobsResponse, Status> {
        let owner = pubkey(&request.pubkey).or_fail(LIST)?;
        let until = if request.until == 0 { i64::MAX } else { request.until };
        let mut descriptors = self.descriptors_of(&owner).await.or_fail(LIST)?;
        descriptors.retain(|blob| (request.since..=until).contains(&blob.uploaded));
        Ok(newest_first(descriptors))
    }

    pub(super) async fn list_all_blobs(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListBlobsResponse, Status> {
        let mut seen = HashSet::new();
        let mut descriptors = Vec::new();
        for (name, metadata) in self.records.blobs.list("").await.or_fail(LIST_ALL)? {
            let sha256 = name.split(':').next().unwrap_or_default();
            if seen.insert(sha256.to_owned()) {
                descriptors.push(descriptor(sha256, metadata));
            }
        }
        Ok(newest_first(descriptors))
    }

    pub(super) async fn get_total_blob_storage_used(
        &self,
        request: proto::GetTotalBlobStorageUsedRequest,
    ) -> Result<proto::GetTotalBlobStorageUsedResponse, Status> {
        let owner = pubkey(&request.pubkey).or_fail(TOTAL)?;
        let descriptors = self.descriptors_of(&owner).await.or_fail(TOTAL)?;
        let bytes = descriptors.iter().fold(0i64, |sum, blob| sum.saturating_add(blob.size));
        let total_mb = bytes / MIB + i64::from(bytes % MIB > 0);
        Ok(proto::GetTotalBlobStorageUsedResponse { total_mb })
    }

    pub(super) async fn list_all_blob_user_stats(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListAllBlobUserStatsResponse, Status> {
        let mut stats: BTreeMap<String, proto::UserBlobStats> = BTreeMap::new();
        for (name, metadata) in self.records.blobs.list("").await.or_fail(STATS)? {
            let (_, owner) = name.split_once(':').unwrap_or_default();
            let entry = stats.entry(owner.to_owned()).or_default();
            entry.pubkey_hex = owner.to_owned();
            entry.blob_count += 1;
            entry.total_size_bytes = entry.total_size_bytes.saturating_add(metadata.size);
        }
        let mut stats: Vec<_> = stats.into_values().collect();
        stats.sort_by_key(|user| std::cmp::Reverse(user.total_size_bytes));
        Ok(proto::ListAllBlobUserStatsResponse { stats })
    }

    pub(super) async fn reconcile_blob_metadata(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ReconcileBlobMetadataResponse, Status> {
        let _editing = self.editing.lock().await;
        let files = self.blobs.sweep().await.or_fail(RECONCILE)?;
        let mended = self.mend(files.into_iter().collect()).await.or_fail(RECONCILE)?;
        Ok(proto::ReconcileBlobMetadataResponse { reconciled: mended })
    }

    /// Makes records and files agree; returns how many records were written or removed.
    async fn mend(&self, mut files: BTreeMap<Name, u64>) -> Result<i32, StoreError> {
        let mut mended = 0;
        let mut owned = HashSet::new();
        let mut known = HashSet::new();
        for (name, metadata) in self.records.blobs.list("").await? {
            let Some((sha256, owner)) = parts(&name) else { continue };
            known.insert(sha256);
            let size = files.get(&sha256).and_then(|&len| i64::try_from(len).ok());
            if let Some(size) = size.filter(|size| *size != metadata.size) {
                let metadata = proto::BlobMetadata { size, ..metadata };
                self.records.blobs.put(&name, &metadata).await?;
                mended += 1;
            }
            owned.extend(owner.map(|owner| blob_of_name(&owner, &sha256)));
        }
        for (name, _) in self.records.blobs_of.list("").await? {
            if !owned.remove(&name) {
                self.records.blobs_of.remove(&name).await?;
                mended += 1;
            }
        }
        for name in owned {
            self.records.blobs_of.put(&name, &proto::Empty {}).await?;
            mended += 1;
        }
        files.retain(|sha256, _| !known.contains(sha256));
        for (sha256, len) in files {
            let size = i64::try_from(len).unwrap_or(i64::MAX);
            let uploaded = seconds_now();
            let metadata = proto::BlobMetadata { size, uploaded, ..Default::default() };
            self.records.blobs.put(&blob_name(&sha256, ""), &metadata).await?;
            mended += 1;
        }
        Ok(mended)
    }

    async fn descriptors_of(
        &self,
        owner: &Pubkey,
    ) -> Result<Vec<proto::BlobDescriptor>, StoreError> {
        let mut descriptors = Vec::new();
        for (name, _) in self.records.blobs_of.list(&format!("{owner}:")).await? {
            let sha256 = name.rsplit(':').next().unwrap_or_default();
            let record = self.records.blobs.get(&format!("{sha256}:{owner}")).await?;
            descriptors.extend(record.map(|metadata| descriptor(sha256, metadata)));
        }
        Ok(descriptors)
    }
}

/// The parts of a record's name; a blob that was found without a record has no owner.
fn parts(name: &str) -> Option<(Name, Option<Pubkey>)> {
    let (sha256, owner) = name.split_once(':')?;
    let sha256 = fixed("name", &hex::decode(sha256.as_bytes())?).ok()?;
    Some((sha256, Pubkey::from_hex(owner.as_bytes()).ok()))
}

fn descriptor(sha256: &str, metadata: proto::BlobMetadata) -> proto::BlobDescriptor {
    proto::BlobDescriptor {
        url: String::new(),
        sha256: sha256.to_owned(),
        size: metadata.size,
        r#type: metadata.mime_type,
        uploaded: metadata.uploaded,
    }
}

fn newest_first(mut descriptors: Vec<proto::BlobDescriptor>) -> proto::ListBlobsResponse {
    descriptors.sort_by_key(|blob| std::cmp::Reverse(blob.uploaded));
    proto::ListBlobsResponse { descriptors }
}
