//! The service's parts, put together.

use std::mem::discriminant;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::{LogLevel, Setting, Start};
use rpc::{Database, DatabaseParts, Listener, Readiness, Server, StoreServer};
use store_neo4j::{Neo4jError, Neo4jStore};
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;

use crate::cypher::Cypher;
use crate::settings::Settings;

/// How often a server that does not answer is asked again.
const AWAY_INTERVAL: Duration = Duration::from_secs(1);
/// How often one that does not let us in: after three times in five seconds it would not even look.
const REFUSED_INTERVAL: Duration = Duration::from_secs(5);
/// How often the same trouble is told.
const REMINDER_INTERVAL: Duration = Duration::from_secs(60);

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let store = service_store::at_neo4j(&settings.neo4j, settings.relay_url.as_ref())?;
    let store = Arc::new(store);
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
    let cypher = Cypher::new(Arc::clone(&store), &settings);
    let database = Database::new(parts, settings.database(daemon::memory_limit()));
    let database = Arc::new(database.with_cypher(Arc::new(cypher)));
    let events = StoreServer::new(Arc::clone(&store) as _, None, shutdown.clone());
    let server = Server::new(readiness.clone(), shutdown.clone())
        .with(database.service())
        .with(events.into_service());
    let tasks = TaskTracker::new();
    tracing::info!(%address, neo4j = store.address(), "listening");
    let serving = server.run_with(listener, async {
        prepared(&store).await?;
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

/// Waits until the database answers and is ready. What no waiting helps is an error.
async fn prepared(store: &Neo4jStore) -> Result<(), Neo4jError> {
    let mut told = None;
    loop {
        let Err(error) = store.prepare().await else { return Ok(()) };
        // Either may come right: the server may be about to start, and be given its password then.
        let interval = match error {
            Neo4jError::Away { .. } => AWAY_INTERVAL,
            Neo4jError::Credentials { .. } => REFUSED_INTERVAL,
            _ => return Err(error),
        };
        let kind = discriminant(&error);
        let is_known =
            |(before, at): &(_, Instant)| *before == kind && at.elapsed() < REMINDER_INTERVAL;
        if !told.as_ref().is_some_and(is_known) {
            tracing::error!("{error}; not ready until it answers");
            told = Some((kind, Instant::now()));
        }
        sleep(interval).await;
    }
}

fn set_log_level(text: &str) -> bool {
    let level = LogLevel::parse(text);
    if let Some(level) = level {
        daemon::set_log_level(level);
        tracing::info!(level = text, "log level set by a client");
    }
    level.is_some()
}
