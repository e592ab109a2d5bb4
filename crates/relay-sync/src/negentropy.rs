//! NIP-77.

mod peer;
mod sessions;

pub use peer::{
    Direction, InvalidDirection, PrivateKinds, Reasons, SyncError, SyncFailure, SyncOptions,
    SyncProgress, SyncReport, SyncStore, sync_with,
};
pub use sessions::{NegentropySessions, SessionSettings, SessionStatus};
