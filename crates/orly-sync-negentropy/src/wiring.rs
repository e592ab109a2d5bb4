//! The service's parts, put together.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use daemon::{ServiceManager, Start};
use event::EventId;
use relay_sync::{NegentropySessions, PeerSync, SyncStore};
use rpc::{Listener, NegentropyServer, Readiness, RemoteStore, Server};
use service_settings::Database;
use service_store::{EventStore, open_shared, when_there};
use store_lmdb::Access;
use tokio_util::task::TaskTracker;

use crate::settings::Settings;

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
    let sessions = Arc::new(NegentropySessions::new(store.get(), sessions));
    let peers = settings.reconciliation.peers(&settings.events);
    let peers = Arc::new(PeerSync::new(store.get(), peers));
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
    let work = Box::pin(async {
        let store = store.get();
        begin(&settings, &*store, &peers).await?;
        tasks.spawn(peers.run(shutdown.clone()));
        follow(&*store, &readiness, &manager).await;
        Ok(())
    });
    let served = store.while_sound(&shutdown, server.run_with(listener, work)).await;
    tasks.close();
    tasks.wait().await;
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// Opens the event store.
fn open(settings: &Settings) -> anyhow::Result<EventStore> {
    Ok(match settings.db_type {
        Database::Embedded => {
            service_store::open(&settings.store, Access::Create, settings.relay.urls())?.into()
        }
        Database::Remote => {
            let store = RemoteStore::new(settings.db_server.0.clone()).quiet_for(QUIET);
            store.reading_files(Box::new(open_shared)).into()
        }
    })
}

/// Reads what the service needs to begin, as soon as the event store answers.
async fn begin(settings: &Settings, store: &dyn SyncStore, peers: &PeerSync) -> anyhow::Result<()> {
    let fresh = rand::random();
    let keys =
        when_there(|| store::identity(store, fresh)).await.context("read the relay's key")?;
    peers.authenticate_as(keys);
    let urls = settings.reconciliation.peer_urls(&settings.relay);
    when_there(|| peers.restore(urls.clone())).await.context("read the peers")
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
