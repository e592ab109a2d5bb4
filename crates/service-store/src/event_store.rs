//! The event store, wherever it is.

use std::sync::Arc;

use acl::AclStore;
use relay_sync::SyncStore;
use rpc::RemoteStore;
use store_lmdb::LmdbStore;
use store_neo4j::Neo4jStore;
use tokio_util::sync::CancellationToken;

use crate::while_sound;

/// All that processes ask of an event store.
pub trait Store: SyncStore + AclStore {}

impl<S: SyncStore + AclStore> Store for S {}

/// The event store of a process.
#[derive(Clone)]
pub enum EventStore {
    /// In this process.
    Embedded(Arc<LmdbStore>),
    /// At a database service or server, which need not be there yet.
    Remote(Arc<dyn Store>),
}

impl EventStore {
    /// The store, wherever it is.
    pub fn get(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as _,
            Self::Remote(store) => Arc::clone(store),
        }
    }

    /// Does the work of a process; see [`while_sound`].
    pub async fn while_sound(
        &self,
        shutdown: &CancellationToken,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Embedded(store) => while_sound(store, shutdown, work).await,
            // It ends by itself, and is found again.
            Self::Remote(_) => work.await,
        }
    }
}

impl From<LmdbStore> for EventStore {
    fn from(store: LmdbStore) -> Self {
        Self::Embedded(Arc::new(store))
    }
}

impl From<Neo4jStore> for EventStore {
    fn from(store: Neo4jStore) -> Self {
        Self::Remote(Arc::new(store))
    }
}

impl From<RemoteStore> for EventStore {
    fn from(store: RemoteStore) -> Self {
        Self::Remote(Arc::new(store))
    }
}
