//! Why a store could not do what it was asked.

use std::error::Error;

/// A failure of a store, by what the caller does about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing can be written until an operator acts; reading goes on.
    #[error("store is read-only: {0}")]
    ReadOnly(String),
    /// The store is away and may come back.
    #[error("store is not reachable: {0}")]
    Unavailable(String),
    /// The request makes no sense to this store.
    #[error("{0}")]
    Invalid(String),
    /// The store failed; the chain says how.
    #[error("store failed")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl StoreError {
    /// Wraps a failure of the engine.
    pub fn internal(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}
