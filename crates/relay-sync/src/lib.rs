//! Keeping relays in step.
//!
//! [`Reconciler`] is the seam between a relay and whoever answers NIP-77 for it; here is the one in
//! this process. [`sync_with`] reconciles the store with another relay, [`PeerSync`] does so with
//! some again and again. Knows no socket of a client and no HTTP.

#[cfg(feature = "conformance")]
pub mod conformance;
mod negentropy;
mod reconciler;

pub use negentropy::{
    Activity, AddPeerError, Admission, Direction, Fruitless, InvalidDirection, NegentropySessions,
    PeerSettings, PeerStatus, PeerSync, PrivateKinds, Reasons, Request, SessionSettings,
    SessionStatus, SyncError, SyncFailure, SyncOptions, SyncProgress, SyncReport, SyncStore,
    TriggerError, sync_with,
};
pub use reconciler::{ConnectionId, NegentropyRefusal, Reconciler, SessionKey};
