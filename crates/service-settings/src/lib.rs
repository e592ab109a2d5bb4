//! Values and groups of settings that several processes have.
//!
//! A variable that means the same to two processes is one row of one table; see [`daemon::settings!`].
//! What only one process is told stays with it.

mod access;
mod address;
mod database_service;
mod event_limits;
mod event_store;
mod key;
mod neo4j;
mod peers;
mod reconciliation;
mod relay_addresses;
mod relay_url;

pub use access::{AccessControl, AclMode, BootstrapRelays};
pub use address::ServiceAddress;
pub use database_service::DatabaseService;
pub use event_limits::EventLimits;
pub use event_store::{Database, EmbeddedStore, RelayDatabase};
pub use key::Key;
pub use neo4j::{Neo4jServer, Neo4jUri, Password};
pub use peers::{IdSize, KindNumber, Peer, PeerDirection, SyncFilter};
pub use reconciliation::Reconciliation;
pub use relay_addresses::{OwnAddress, RelayAddresses};
pub use relay_url::RelayUrl;
