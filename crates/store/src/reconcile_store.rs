//! Sets for reconciliation (NIP-77): what a query would serve, as count, sum and order of ids.

use async_trait::async_trait;
use reconcile::{Answer, FrameSizeLimit, Initiator, Step};

use crate::{Query, StoreError};

/// A store that reconciles.
#[async_trait]
pub trait ReconcileStore: Send + Sync + 'static {
    /// Opens the set that `query`, of one filter, would serve; its limit and order do not count.
    ///
    /// A set that has to be gathered may have `max_records` at most.
    async fn reconcile_set(
        &self,
        query: Query,
        max_records: u64,
    ) -> Result<Box<dyn ReconcileSet>, ReconcileError>;
}

/// A set that is reconciled. Between two messages it may change with the store.
#[async_trait]
pub trait ReconcileSet: Send + Sync {
    /// How many items there are.
    async fn count(&self) -> Result<u64, ReconcileError>;

    /// Answers a message as responder.
    async fn answer(
        &self,
        message: Vec<u8>,
        limit: FrameSizeLimit,
    ) -> Result<Answer, ReconcileError>;

    /// Begins as initiator; gives up after `max_rounds`.
    async fn open(
        &self,
        limit: FrameSizeLimit,
        max_rounds: u32,
    ) -> Result<(Initiator, Vec<u8>), ReconcileError>;

    /// Takes a message as initiator.
    async fn step(
        &self,
        initiator: Initiator,
        message: Vec<u8>,
    ) -> Result<(Initiator, Step), ReconcileError>;
}

/// Why a set cannot be reconciled, by what to tell the other side.
#[derive(Debug, thiserror::Error)]
pub enum ReconcileError {
    /// The set would have to be gathered and is too large for that.
    #[error("filter matches more than {max} events that have to be gathered")]
    TooLarge {
        /// How many are allowed.
        max: u64,
    },
    /// The other side broke the protocol.
    #[error("{0}")]
    Protocol(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E: Into<StoreError> + std::error::Error> From<reconcile::Error<E>> for ReconcileError {
    fn from(error: reconcile::Error<E>) -> Self {
        match error {
            reconcile::Error::Set(error) => Self::Store(error.into()),
            reconcile::Error::Malformed(what) => {
                Self::Protocol(format!("malformed message: {what}"))
            }
            other => Self::Protocol(other.to_string()),
        }
    }
}
