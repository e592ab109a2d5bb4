//! The seam: a client's reconciliation sessions (NIP-77, the responder's side).

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use event::SubscriptionId;
use store::Query;

/// Names a connection of a client, unlike any other whose sessions are answered in the same place.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ConnectionId(Arc<str>);

/// Names a session: subscription ids are a client's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey {
    /// The connection.
    pub connection: ConnectionId,
    /// The client's name for the session.
    pub sub: SubscriptionId,
}

/// Answers clients that reconcile.
#[async_trait]
pub trait Reconciler: Send + Sync + 'static {
    /// Whether it can answer now; NIP-11 says so.
    fn is_ready(&self) -> bool;

    /// Opens a session over what `query`, of one filter, would serve; replaces one of the same key.
    async fn open(
        &self,
        key: SessionKey,
        query: Query,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, NegentropyRefusal>;

    /// Goes on with a session.
    async fn message(
        &self,
        key: &SessionKey,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, NegentropyRefusal>;

    /// Ends a session, if there is one.
    async fn close(&self, key: &SessionKey);

    /// Ends all sessions of a connection.
    async fn close_connection(&self, connection: &ConnectionId);
}

/// Why a session ended: the reason of a NEG-ERR, and the largest set if that is why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NegentropyRefusal {
    /// `prefix: text`.
    pub reason: String,
    /// How many records a set may have.
    pub max_records: Option<u64>,
}

impl ConnectionId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for ConnectionId {
    fn from(number: u64) -> Self {
        Self(number.to_string().into())
    }
}

impl From<String> for ConnectionId {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl NegentropyRefusal {
    /// A refusal that is not about size.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), max_records: None }
    }
}
