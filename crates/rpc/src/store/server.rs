//! Any store, served as `orlystore.v1`.
//!
//! Keeps nothing a caller relies on: cursors of queries and gathered sets are kept for those who come
//! back soon, and are made anew for those who do not find theirs.

mod calls;
mod kept;
mod queries;
mod streams;

use std::sync::Arc;

use relay_sync::SyncStore;
use tokio_util::sync::CancellationToken;

use crate::proto::orlystore::v1::store_service_server::StoreServiceServer;
use crate::store::SharedFiles;
use crate::{DATABASE_MESSAGE_LIMIT, Service};

use kept::Kept;

/// Serves a store to other processes.
pub struct StoreServer {
    store: Arc<dyn SyncStore>,
    files: Option<SharedFiles>,
    shutdown: CancellationToken,
    queries: Arc<Kept<Box<dyn store::Rows>>>,
    sets: Kept<Arc<dyn store::ReconcileSet>>,
}

impl StoreServer {
    /// Takes a store, and where its files are if they may be read beside it. What has no end of its
    /// own ends at `shutdown`.
    pub fn new(
        store: Arc<dyn SyncStore>,
        files: Option<SharedFiles>,
        shutdown: CancellationToken,
    ) -> Self {
        Self { store, files, shutdown, queries: Arc::new(Kept::queries()), sets: Kept::sets() }
    }

    /// The service, to be added to a server.
    pub fn into_service(self) -> Service {
        Service::new(
            StoreServiceServer::new(self)
                .max_decoding_message_size(DATABASE_MESSAGE_LIMIT)
                .max_encoding_message_size(DATABASE_MESSAGE_LIMIT),
        )
    }
}
