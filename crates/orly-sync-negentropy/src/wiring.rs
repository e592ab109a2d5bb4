//! The service's parts, put together.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::{ServiceManager, Start};
use event::EventId;
use relay_sync::{NegentropySessions, PeerSync, SyncStore};
use rpc::{Listener, NegentropyServer, Readiness, RemoteStore, Server, SharedFiles};
use store::StoreError;
use store_lmdb::{Access, LmdbStore, Options};
use tokio_util::task::TaskTracker;

use crate::settings::{Database, Settings};

/// How long a database service may be away without a word in the log: services start in any order.
const QUIET: Duration = Duration::from_secs(10);
/// How often the event store is asked whether it answers.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it does not.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let address = &settings.listen.0;
    let listener = Listener::bind(address).await.context("ORLY_SYNC_NEGENTROPY_LISTEN")?;
    let address = listener.address().context("read the address of the listener")?;
    let store = open(&settings)?;
    let sessions = settings.reconciliation.sessions();
    let sessions = Arc::new(NegentropySessions::new(Arc::clone(&store) as _, sessions));
    let peers = settings.reconciliation.peers(&settings.events);
    let peers = Arc::new(PeerSync::new(Arc::clone(&store), peers));
    let readiness = Readiness::new();
    let service = NegentropyServer::new(
        Arc::clone(&sessions),
        Arc::clone(&peers),
        readiness.clone(),
        shutdown.clone(),
    );
    tracing::info!(%address, "listening");
    let tasks = TaskTracker::new();
    tasks.spawn(sessions.run(shutdown.clone()));
    let server = Server::new(readiness.clone(), shutdown.clone()).with(service.into_service());
    let begun = async {
        begin(&settings, &*store, &peers).await?;
        tasks.spawn(peers.run(shutdown.clone()));
        follow(&*store, &readiness, &manager).await;
        Ok(())
    };
    let serving = async { server.run(listener).await.context("serve") };
    let begun = async { shutdown.run_until_cancelled(begun).await.unwrap_or(Ok(())) };
    let result = tokio::try_join!(serving, async {
        let result = begun.await;
        // What cannot begin must not go on listening.
        shutdown.cancel();
        result
    });
    tasks.close();
    tasks.wait().await;
    result?;
    tracing::info!("stopped");
    Ok(())
}

/// The event store.
fn open(settings: &Settings) -> anyhow::Result<Arc<dyn SyncStore>> {
    match settings.db_type {
        Database::Remote => {
            let store = RemoteStore::new(settings.db_server.0.clone());
            Ok(Arc::new(store.quiet_for(QUIET).reading_files(Box::new(open_files))))
        }
        Database::Embedded => {
            let options = Options {
                max_map_mib: settings.db_map_size_mb,
                access: Access::Create,
                ..Options::new(&settings.data_dir).within(daemon::available_memory())
            };
            Ok(Arc::new(LmdbStore::open(options, settings.url())?))
        }
    }
}

/// Opens the files of a database service on this host, to read them beside it.
fn open_files(files: &SharedFiles) -> Result<Arc<dyn SyncStore>, Box<dyn Error + Send + Sync>> {
    if files.engine != "lmdb" {
        return Err(format!("this version does not read files of {}", files.engine).into());
    }
    Ok(Arc::new(LmdbStore::open_beside(&files.directory, &files.database_id)?))
}

/// Reads what the service needs to begin, as soon as the event store answers.
async fn begin(settings: &Settings, store: &dyn SyncStore, peers: &PeerSync) -> anyhow::Result<()> {
    let fresh = rand::random();
    let keys = loop {
        match store::identity(store, fresh).await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(RETRY_INTERVAL).await,
            keys => break keys.context("read the relay's key")?,
        }
    };
    peers.authenticate_as(keys);
    loop {
        let urls = settings.reconciliation.peer_urls(settings.url().as_deref());
        match peers.restore(urls).await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(RETRY_INTERVAL).await,
            restored => return restored.context("read the peers"),
        }
    }
}

/// Says whether the service is ready: as long as the event store can be read.
async fn follow(store: &dyn SyncStore, readiness: &Readiness, manager: &ServiceManager) {
    let nobody = [EventId::new([0; 32])];
    let mut was_ready = None;
    loop {
        let is_ready = store.contains(&nobody).await.is_ok();
        readiness.set(is_ready);
        if is_ready && was_ready.is_none() {
            manager.ready();
        }
        match (is_ready, was_ready) {
            (true, None | Some(false)) => tracing::info!("ready"),
            (false, Some(true)) => tracing::warn!("not ready: the event store does not answer"),
            _ => {}
        }
        was_ready = Some(is_ready).filter(|is_ready| *is_ready || was_ready.is_some());
        tokio::time::sleep(if is_ready { ASK_INTERVAL } else { RETRY_INTERVAL }).await;
    }
}
