//! The service's parts, put together.

use std::sync::Arc;

use anyhow::Context;
use daemon::{LogLevel, Setting, Start};
use rpc::{Database, DatabaseParts, Listener, Readiness, Server, SharedFiles, StoreServer};
use store_lmdb::{Access, LmdbStore, Options};
use tokio_util::task::TaskTracker;

use crate::settings::Settings;

/// What the files of LMDB are called where others may read them too.
const ENGINE: &str = "lmdb";

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let store = Arc::new(open(&settings)?);
    let listener = Listener::bind(&settings.listen.0).await.context("ORLY_DB_LISTEN")?;
    let address = listener.address().context("read the address of the listener")?;
    let readiness = Readiness::new();
    let parts = DatabaseParts {
        store: Arc::clone(&store) as _,
        serials: Arc::clone(&store) as _,
        markers: Arc::clone(&store) as _,
        readiness: readiness.clone(),
        set_log_level: Box::new(set_log_level),
    };
    let database = Arc::new(Database::new(parts, settings.database(daemon::memory_limit())));
    let files = SharedFiles {
        directory: settings.data_dir.clone(),
        engine: ENGINE.into(),
        database_id: store.describe()?.database_id,
    };
    let events = StoreServer::new(Arc::clone(&store) as _, Some(files), shutdown.clone());
    let server = Server::new(readiness.clone(), shutdown.clone())
        .with(database.service())
        .with(events.into_service());
    let tasks = TaskTracker::new();
    tasks.spawn(Arc::clone(&database).run(shutdown.clone()));
    tasks.close();
    readiness.set(true);
    manager.ready();
    tracing::info!(%address, data_dir = %settings.data_dir.display(), "listening");
    let served = server.run(listener).await;
    // What cannot be served must not go on.
    shutdown.cancel();
    tasks.wait().await;
    served?;
    tracing::info!("stopped");
    Ok(())
}

fn open(settings: &Settings) -> anyhow::Result<LmdbStore> {
    let options = Options {
        max_map_mib: settings.db_map_size_mb,
        access: Access::Create,
        ..Options::new(&settings.data_dir).within(daemon::available_memory())
    };
    Ok(LmdbStore::open(options, settings.url())?)
}

fn set_log_level(text: &str) -> bool {
    let level = LogLevel::parse(text);
    if let Some(level) = level {
        daemon::set_log_level(level);
        tracing::info!(level = text, "log level set by a client");
    }
    level.is_some()
}
