//! What goes wrong between this process and a server.

use std::io;
use std::time::Duration;

/// Why a server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BoltError {
    /// There is no connection, or it was lost.
    #[error("no connection")]
    Connection(#[source] io::Error),
    /// No answer came in time.
    #[error("no answer within {0:?}")]
    TooSlow(Duration),
    /// All connections were in use for too long.
    #[error("all {0} connections are in use (ORLY_NEO4J_MAX_CONN_POOL)")]
    Busy(usize),
    /// The server refuses the request.
    #[error("{code}: {message}")]
    Refused {
        /// What Neo4j calls it, as `Neo.ClientError.Statement.SyntaxError`.
        code: String,
        /// What it says about it.
        message: String,
    },
    /// The server does not keep the protocol.
    #[error("not the Bolt protocol: {0}")]
    Protocol(&'static str),
}

impl BoltError {
    /// Whether the same may succeed when it is tried again: two transactions were in each other's way.
    pub(crate) fn is_transient(&self) -> bool {
        self.has_code("Neo.TransientError.")
    }

    /// Whether the server wants other credentials.
    pub(crate) fn is_about_credentials(&self) -> bool {
        self.has_code("Neo.ClientError.Security.")
    }

    /// Whether the code begins like this.
    pub(crate) fn has_code(&self, start: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code.starts_with(start))
    }
}

impl From<io::Error> for BoltError {
    fn from(error: io::Error) -> Self {
        Self::Connection(error)
    }
}
