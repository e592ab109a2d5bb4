//! The service's parts, put together.

use std::sync::Arc;
use std::time::Duration;

use acl::LocalAcl;
use anyhow::Context;
use daemon::Start;
use rpc::{AclServer, Listener, Readiness, RemoteStore, Server};
use service_settings::Database;
use service_store::{EventStore, when_there};
use store_lmdb::Access;
use tokio_util::task::TaskTracker;

use crate::settings::Settings;

/// How long a database service may be away without a word in the log: services start in any order.
const QUIET: Duration = Duration::from_secs(10);

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let listener = Listener::bind(&settings.listen.0).await.context("ORLY_ACL_LISTEN")?;
    let address = listener.address().context("read the address of the listener")?;
    let mode = settings.access.mode.0;
    let store = open(&settings)?;
    let acl = Arc::new(LocalAcl::new(settings.access_control(), store.get()));
    let readiness = Readiness::new();
    let service = AclServer::new(Arc::clone(&acl), store.get(), readiness.clone());
    tracing::info!(%address, %mode, "listening");
    settings.access.warn();
    let tasks = TaskTracker::new();
    let server = Server::new(readiness.clone(), shutdown.clone()).with(service.into_service());
    let work = Box::pin(async {
        when_there(|| acl.refresh()).await.context("read what was decided")?;
        tasks.spawn(Arc::clone(&acl).run(shutdown.clone()));
        readiness.set(true);
        manager.ready();
        tracing::info!("ready");
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
        Database::Remote => RemoteStore::new(settings.db_server.0.clone()).quiet_for(QUIET).into(),
    })
}
