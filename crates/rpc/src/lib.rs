//! Every seam over gRPC, both ends; the only crate that knows tonic and prost.

mod address;
mod connect;
mod convert;
mod negentropy;
mod proto;
mod serve;
mod store;

pub use address::{Address, InvalidAddress};
pub use connect::{DATABASE_MESSAGE_LIMIT, MESSAGE_LIMIT};
pub use convert::Malformed;
pub use negentropy::{
    NegentropyServer, PeerProgress, RemotePeerSync, RemoteReconciler, RemoteSyncError, SyncStream,
};
pub use serve::{BindError, Listener, Readiness, ServeError, Server, Service};
pub use store::{OpenFiles, RemoteStore, SharedFiles, StoreServer};
