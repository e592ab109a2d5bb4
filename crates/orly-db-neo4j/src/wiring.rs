//! The service's parts, put together.

use std::sync::Arc;

use anyhow::Context;
use daemon::Start;
use rpc::{Database, DatabaseParts, Listener, Readiness, Server, StoreServer};
use tokio_util::task::TaskTracker;

use crate::cypher::Cypher;
use crate::settings::Settings;

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let store = service_store::at_neo4j(&settings.neo4j, settings.service.relay.urls())?;
    let store = Arc::new(store);
    let listener = Listener::bind(&settings.service.listen.0).await.context("ORLY_DB_LISTEN")?;
    let address = listener.address().context("read the address of the listener")?;
    let readiness = Readiness::new();
    let options = settings.service.options(settings.data_dir.clone(), daemon::memory_limit());
    let parts = DatabaseParts {
        store: Arc::clone(&store) as _,
        serials: Arc::clone(&store) as _,
        markers: Arc::clone(&store) as _,
        readiness: readiness.clone(),
        set_log_level: Box::new(daemon::set_log_level),
    };
    let cypher = Cypher::new(Arc::clone(&store), &settings);
    let database = Database::new(parts, options);
    let database = Arc::new(database.with_cypher(Arc::new(cypher)));
    let events = StoreServer::new(Arc::clone(&store) as _, None, shutdown.clone());
    let server = Server::new(readiness.clone(), shutdown.clone())
        .with(database.service())
        .with(events.into_service());
    let tasks = TaskTracker::new();
    tracing::info!(%address, neo4j = store.address(), "listening");
    let serving = server.run_with(listener, async {
        store.when_ready().await?;
        tasks.spawn(Arc::clone(&database).run(shutdown.clone()));
        readiness.set(true);
        manager.ready();
        tracing::info!(neo4j = store.address(), "ready");
        // What is left to do is to serve.
        shutdown.cancelled().await;
        anyhow::Ok(())
    });
    let served = serving.await;
    tasks.close();
    tasks.wait().await;
    served?;
    tracing::info!("stopped");
    Ok(())
}
