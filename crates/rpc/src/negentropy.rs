//! Reconciliation (NIP-77) over gRPC: `orlysync.negentropy.v1` as the original has it, both ends.
//!
//! What that wire has no field for goes beside it, as metadata that the original passes over; see
//! `proto/orlysync/negentropy/v1/service.proto`.

mod asking;
mod messages;
mod metadata;
mod remote;
mod server;
mod syncing;

pub use asking::{PeerProgress, RemotePeerSync, RemoteSyncError, SyncStream};
pub use remote::RemoteReconciler;
pub use server::NegentropyServer;

#[cfg(test)]
mod tests;
