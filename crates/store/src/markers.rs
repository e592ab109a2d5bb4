//! Small things kept beside events: positions of replication, state of access control, identity.

use async_trait::async_trait;
use event::Keys;

use crate::StoreError;

/// The key under which a relay keeps its secret key.
pub const IDENTITY_MARKER: &str = "relay:identity";

/// Named byte strings.
#[async_trait]
pub trait Markers: Send + Sync {
    /// The value of `key`.
    async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Sets or, with `None`, removes the value of `key`.
    async fn set_marker(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), StoreError>;

    /// Gives `key` a value if it has none, in one step; returns the value it has then.
    async fn claim_marker(&self, key: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError>;

    /// All that starts with `prefix`, in order of key.
    async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;
}

/// The relay's keys, made from `fresh` bytes if it has none yet. Processes that ask at once get the same.
pub async fn identity(markers: &dyn Markers, fresh: [u8; 32]) -> Result<Keys, StoreError> {
    let secret = match markers.marker(IDENTITY_MARKER).await? {
        Some(secret) => secret,
        None => markers.claim_marker(IDENTITY_MARKER, fresh.to_vec()).await?,
    };
    let secret = <[u8; 32]>::try_from(secret)
        .map_err(|_| StoreError::Invalid("relay identity is damaged".into()))?;
    Keys::from_secret(secret).map_err(StoreError::internal)
}
