//! NIP-77.

mod peer;
mod peers;
mod sessions;

pub use peer::{
    Admission, Direction, Fruitless, InvalidDirection, PrivateKinds, Reasons, SyncError,
    SyncFailure, SyncOptions, SyncProgress, SyncReport, SyncStore, sync_with,
};
pub use peers::{
    Activity, AddPeerError, PeerSettings, PeerStatus, PeerSync, Request, TriggerError,
};
pub use sessions::{NegentropySessions, SessionSettings, SessionStatus};
