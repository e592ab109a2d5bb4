//! Small things kept as markers, one record a key, each a message of the wire.
//!
//! | prefix | name | record |
//! |---|---|---|
//! | `db:subscription:` | pubkey | `Subscription` |
//! | `db:payment:` | pubkey `:` number of 10 digits | `Payment` |
//! | `db:first-login:` | pubkey | time of it, a `Uint40` |
//! | `db:member:` | pubkey | `NIP43Membership` |
//! | `db:invite:` | code | `StoreInviteCodeRequest` |
//! | `db:access:` | serial of 13 digits | `GetEventAccessInfoResponse` |
//! | `db:blob:` | SHA-256 `:` pubkey | `BlobMetadata` |
//! | `db:blob-of:` | pubkey `:` SHA-256 | nothing: the way back |
//! | `db:blob-report:` | SHA-256 `:` SHA-256 of the report | `SaveBlobReportRequest` |
//!
//! Pubkeys and sums are in hex. No other marker may start with `db:`. Paid subscriptions and aliases are
//! access control's too, and lie where `acl::Subscriptions` keeps them.

use std::marker::PhantomData;
use std::sync::Arc;

use prost::Message;
use store::{Markers, StoreError};

use crate::Malformed;
use crate::proto::orlydb::v1::{
    BlobMetadata, Empty, GetEventAccessInfoResponse, Nip43Membership, Payment,
    SaveBlobReportRequest, StoreInviteCodeRequest, Subscription, Uint40,
};

/// What the keys of all records start with.
pub(super) const RESERVED: &str = "db:";
/// How long a name from outside may be: a marker's key has 500 bytes.
const NAME_BYTES: usize = 256;

/// Records of one kind.
pub(super) struct Records<T> {
    markers: Arc<dyn Markers>,
    prefix: &'static str,
    kind: PhantomData<fn() -> T>,
}

/// All kinds of records.
pub(super) struct RecordSets {
    pub(super) subscriptions: Records<Subscription>,
    pub(super) payments: Records<Payment>,
    pub(super) first_logins: Records<Uint40>,
    pub(super) members: Records<Nip43Membership>,
    pub(super) invites: Records<StoreInviteCodeRequest>,
    pub(super) access: Records<GetEventAccessInfoResponse>,
    pub(super) blobs: Records<BlobMetadata>,
    pub(super) blobs_of: Records<Empty>,
    pub(super) blob_reports: Records<SaveBlobReportRequest>,
}

impl RecordSets {
    pub(super) fn new(markers: &Arc<dyn Markers>) -> Self {
        Self {
            subscriptions: Records::new(markers, "db:subscription:"),
            payments: Records::new(markers, "db:payment:"),
            first_logins: Records::new(markers, "db:first-login:"),
            members: Records::new(markers, "db:member:"),
            invites: Records::new(markers, "db:invite:"),
            access: Records::new(markers, "db:access:"),
            blobs: Records::new(markers, "db:blob:"),
            blobs_of: Records::new(markers, "db:blob-of:"),
            blob_reports: Records::new(markers, "db:blob-report:"),
        }
    }
}

impl<T: Message + Default> Records<T> {
    fn new(markers: &Arc<dyn Markers>, prefix: &'static str) -> Self {
        Self { markers: Arc::clone(markers), prefix, kind: PhantomData }
    }

    /// The record of this name.
    pub(super) async fn get(&self, name: &str) -> Result<Option<T>, StoreError> {
        let key = self.key(name);
        match self.markers.marker(&key).await? {
            Some(bytes) => decode(&key, &bytes).map(Some),
            None => Ok(None),
        }
    }

    /// Sets the record of this name.
    pub(super) async fn put(&self, name: &str, record: &T) -> Result<(), StoreError> {
        self.markers.set_marker(&self.key(name), Some(record.encode_to_vec())).await
    }

    /// Removes the record of this name, if there is one.
    pub(super) async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.markers.set_marker(&self.key(name), None).await
    }

    /// All records whose name starts with `start`, in order of name.
    pub(super) async fn list(&self, start: &str) -> Result<Vec<(String, T)>, StoreError> {
        let found = self.markers.markers(&self.key(start)).await?;
        let records = found.into_iter().map(|(key, bytes)| {
            let record = decode(&key, &bytes)?;
            Ok((key[self.prefix.len()..].to_owned(), record))
        });
        records.collect()
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

fn decode<T: Message + Default>(key: &str, bytes: &[u8]) -> Result<T, StoreError> {
    T::decode(bytes).map_err(|_| StoreError::Invalid(format!("the record {key:?} is damaged")))
}

/// A name from outside: not empty, and short enough for a key.
pub(super) fn checked_name<'a>(field: &'static str, name: &'a str) -> Result<&'a str, Malformed> {
    match name.len() {
        1..=NAME_BYTES => Ok(name),
        len => {
            Err(Malformed::new(field, format!("has {len} bytes, 1 to {NAME_BYTES} are allowed")))
        }
    }
}
