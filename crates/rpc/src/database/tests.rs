//! The service in this process, over LMDB and a socket.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::conformance::DatabaseEngine;
use super::conformance::querying::BATCH;
use super::{Database, DatabaseOptions, DatabaseParts};
use crate::{Address, Listener, Readiness, Server};

struct InProcess;

struct House {
    _shutdown: DropGuard,
    _directory: TempDir,
}

#[async_trait]
impl DatabaseEngine for InProcess {
    async fn fresh(&self) -> (Address, Box<dyn Any + Send>) {
        let directory = TempDir::new().unwrap();
        let store = Arc::new(LmdbStore::open(Options::new(directory.path()), None).unwrap());
        let readiness = Readiness::new();
        let parts = DatabaseParts {
            store: Arc::clone(&store) as _,
            serials: Arc::clone(&store) as _,
            markers: store,
            readiness: readiness.clone(),
            set_log_level: Box::new(|level| level == "info"),
        };
        let options = DatabaseOptions {
            directory: directory.path().to_owned(),
            stream_batch: BATCH,
            max_concurrent_queries: 1,
            query_cache_bytes: 1 << 20,
            query_cache_age: Duration::from_secs(60),
        };
        let database = Arc::new(Database::new(parts, options));
        let address = Address::Unix(directory.path().join("db.sock"));
        let listener = Listener::bind(&address).await.unwrap();
        let shutdown = CancellationToken::new();
        let server = Server::new(readiness.clone(), shutdown.clone()).with(database.service());
        tokio::spawn(server.run(listener));
        readiness.set(true);
        let house = House { _shutdown: shutdown.drop_guard(), _directory: directory };
        (address, Box::new(house))
    }
}

crate::database_conformance_tests!(super::InProcess);
