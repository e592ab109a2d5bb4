//! Whether a unit does its work.

use async_trait::async_trait;

/// Asks a unit how it is.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// Asks once; the supervisor limits the time this may take.
    async fn probe(&self) -> Health;
}

/// What a unit answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does its work.
    Serving,
    /// It is alive and cannot do its work for now; starting it again would not help.
    Unready(String),
    /// It does not answer.
    Silent(String),
}
