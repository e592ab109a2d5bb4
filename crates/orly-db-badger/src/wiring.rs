//! The service's parts, put together.

use std::sync::Arc;

use anyhow::Context;
use daemon::Start;
use rpc::{Database, DatabaseParts, Listener, Readiness, Server, StoreServer};
use store_lmdb::Access;
use tokio_util::task::TaskTracker;

use crate::settings::Settings;

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let urls = settings.service.relay.urls();
    let store = Arc::new(service_store::open(&settings.store, Access::Create, urls)?);
    let listener = Listener::bind(&settings.service.listen.0).await.context("ORLY_DB_LISTEN")?;
    let address = listener.address().context("read the address of the listener")?;
    let readiness = Readiness::new();
    let options = settings.service.options(settings.store.data_dir.clone(), daemon::memory_limit());
    let parts = DatabaseParts {
        store: Arc::clone(&store) as _,
        serials: Arc::clone(&store) as _,
        markers: Arc::clone(&store) as _,
        readiness: readiness.clone(),
        set_log_level: Box::new(daemon::set_log_level),
    };
    let database = Arc::new(Database::new(parts, options));
    let files = service_store::shared(&settings.store, &store)?;
    let events = StoreServer::new(Arc::clone(&store) as _, Some(files), shutdown.clone());
    let server = Server::new(readiness.clone(), shutdown.clone())
        .with(database.service())
        .with(events.into_service());
    let tasks = TaskTracker::new();
    tasks.spawn(Arc::clone(&database).run(shutdown.clone()));
    tasks.close();
    readiness.set(true);
    manager.ready();
    tracing::info!(%address, data_dir = %settings.store.data_dir.display(), "listening");
    let serving = async { Ok(server.run(listener).await?) };
    let served = service_store::while_sound(&store, &shutdown, serving).await;
    // What cannot be served must not go on.
    shutdown.cancel();
    tasks.wait().await;
    served?;
    tracing::info!("stopped");
    Ok(())
}
