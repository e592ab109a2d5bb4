//! Every seam over gRPC, both ends; the only crate that knows tonic and prost.

mod access;
mod address;
mod connect;
mod convert;
mod database;
mod negentropy;
mod probe;
mod proto;
mod serve;
mod store;

pub use access::{AclServer, RemoteAcl};
pub use address::{Address, InvalidAddress};
pub use connect::{DATABASE_MESSAGE_LIMIT, MESSAGE_LIMIT};
pub use convert::Malformed;
#[cfg(any(test, feature = "conformance"))]
pub use database::conformance as database_conformance;
pub use database::{
    CypherError, CypherQuestion, CypherReader, Database, DatabaseOptions, DatabaseParts,
};
pub use negentropy::{
    NegentropyServer, PeerProgress, RemotePeerSync, RemoteReconciler, RemoteSyncError, SyncStream,
};
pub use probe::{ServiceHealth, ServiceKind, ServiceProbe};
pub use serve::{BindError, Listener, Readiness, ServeError, Server, Service};
pub use store::{OpenFiles, RemoteStore, SharedFiles, StoreServer};
