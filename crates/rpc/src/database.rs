//! `orlydb.v1`: the original's event store as a service, all 86 calls, over the seams of `store`.
//!
//! Events go to the store. What else a relay wants kept is small and lies in markers whose keys start
//! with `db:` (`records`); the bytes of blobs and thumbnails are files (`files`). Nothing here knows
//! an engine. What each call means is written in `proto/orlydb/v1/service.proto`.

mod access;
mod aliases;
mod blob_listing;
mod blobs;
mod calls;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod cypher;
mod export;
mod failure;
mod files;
mod identity;
mod import;
mod invites;
mod lookups;
mod markers;
mod members;
mod paid_subscriptions;
mod payments;
mod previews;
mod query_cache;
mod querying;
mod records;
mod relay_files;
mod removal;
mod saving;
mod streaming;
mod subscriptions;
mod thumbnails;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use event::Verifier;
use store::{EventStore, Markers, SerialStore};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::proto::orlydb::v1::database_service_server::DatabaseServiceServer;
use crate::{DATABASE_MESSAGE_LIMIT, Readiness, Service};

use access::AccessLog;
pub use cypher::{CypherError, CypherQuestion, CypherReader};
use files::Files;
use query_cache::QueryCache;
use records::RecordSets;
use relay_files::RelayFiles;

/// What the service stands on.
pub struct DatabaseParts {
    /// The events.
    pub store: Arc<dyn EventStore>,
    /// The same, by serial.
    pub serials: Arc<dyn SerialStore>,
    /// Everything small.
    pub markers: Arc<dyn Markers>,
    /// Whether the process is ready.
    pub readiness: Readiness,
    /// Sets the level of the log; `false` if there is no such level.
    pub set_log_level: Box<dyn Fn(&str) -> bool + Send + Sync>,
}

/// How the service works.
#[derive(Clone, Debug)]
pub struct DatabaseOptions {
    /// Where the store lies; blobs and thumbnails lie there too.
    pub directory: PathBuf,
    /// How many events a message of a stream carries at most.
    pub stream_batch: usize,
    /// How many queries read at the same moment; 0 sets no bound.
    pub max_concurrent_queries: usize,
    /// How many bytes of answers are kept for the query cache calls; 0 keeps none.
    pub query_cache_bytes: usize,
    /// How long an answer is kept.
    pub query_cache_age: Duration,
}

/// The service.
pub struct Database {
    store: Arc<dyn EventStore>,
    serials: Arc<dyn SerialStore>,
    markers: Arc<dyn Markers>,
    readiness: Readiness,
    set_log_level: Box<dyn Fn(&str) -> bool + Send + Sync>,
    options: DatabaseOptions,
    queries: Arc<Semaphore>,
    records: RecordSets,
    subscriptions: acl::Subscriptions,
    /// Checks what is to be saved; it remembers keys.
    verifier: std::sync::Mutex<Verifier>,
    query_cache: QueryCache,
    access: AccessLog,
    blobs: Files,
    relay_blobs: RelayFiles,
    thumbnails: Files,
    /// Who answers questions in Cypher, if the store is a graph.
    cypher: Option<Arc<dyn CypherReader>>,
    /// Held by whoever reads a record in order to write it.
    editing: Mutex<()>,
}

impl Database {
    /// Puts the service together.
    pub fn new(parts: DatabaseParts, options: DatabaseOptions) -> Self {
        let most = match options.max_concurrent_queries {
            0 => Semaphore::MAX_PERMITS,
            most => most.min(Semaphore::MAX_PERMITS),
        };
        Self {
            records: RecordSets::new(&parts.markers),
            verifier: std::sync::Mutex::default(),
            subscriptions: acl::Subscriptions::new(Arc::clone(&parts.markers)),
            query_cache: QueryCache::new(options.query_cache_bytes, options.query_cache_age),
            access: AccessLog::default(),
            blobs: Files::new(options.directory.join("blobs")),
            relay_blobs: RelayFiles::beside(&options.directory),
            thumbnails: Files::new(options.directory.join("thumbnails")),
            queries: Arc::new(Semaphore::new(most)),
            store: parts.store,
            serials: parts.serials,
            markers: parts.markers,
            readiness: parts.readiness,
            set_log_level: parts.set_log_level,
            cypher: None,
            editing: Mutex::default(),
            options,
        }
    }

    /// The service, to be added to a server.
    pub fn service(self: &Arc<Self>) -> Service {
        let server = DatabaseServiceServer::from_arc(Arc::clone(self))
            .max_decoding_message_size(DATABASE_MESSAGE_LIMIT)
            .max_encoding_message_size(DATABASE_MESSAGE_LIMIT);
        Service::new(server)
    }

    /// Writes down from time to time what calls left in memory, and at the shutdown once more.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        self.keep_access_log(shutdown).await;
    }
}

#[cfg(test)]
mod tests;
