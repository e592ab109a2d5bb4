//! The service's parts, put together.

use std::sync::Arc;
use std::time::Duration;

use acl::{AclStore, LocalAcl};
use anyhow::Context;
use daemon::Start;
use rpc::{AclServer, Listener, Readiness, RemoteStore, Server};
use store::StoreError;
use store_lmdb::{Access, LmdbStore, Options};
use tokio_util::task::TaskTracker;

use crate::settings::{Database, Settings};

/// How often an event store that does not answer is asked again.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Runs the service.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let listener = Listener::bind(&settings.listen.0).await.context("ORLY_ACL_LISTEN")?;
    let address = listener.address().context("read the address of the listener")?;
    let mode = settings.access.mode.0;
    let store = open(&settings)?;
    let acl = Arc::new(LocalAcl::new(settings.access_control(), Arc::clone(&store)));
    let readiness = Readiness::new();
    let service = AclServer::new(Arc::clone(&acl), store, readiness.clone());
    tracing::info!(%address, %mode, "listening");
    settings.access.warn();
    let tasks = TaskTracker::new();
    let server = Server::new(readiness.clone(), shutdown.clone()).with(service.into_service());
    let begun = async {
        begin(&acl).await?;
        readiness.set(true);
        manager.ready();
        tracing::info!("ready");
        tasks.spawn(Arc::clone(&acl).run(shutdown.clone()));
        shutdown.cancelled().await;
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
fn open(settings: &Settings) -> anyhow::Result<Arc<dyn AclStore>> {
    match settings.db_type {
        Database::Remote => Ok(Arc::new(RemoteStore::new(settings.db_server.0.clone()))),
        Database::Embedded => {
            let options = Options {
                max_map_mib: settings.db_map_size_mb,
                access: Access::Create,
                ..Options::new(&settings.data_dir)
            };
            Ok(Arc::new(LmdbStore::open(options, settings.url())?))
        }
    }
}

/// Reads what was decided before, as soon as the event store answers.
async fn begin(acl: &LocalAcl) -> anyhow::Result<()> {
    loop {
        match acl.refresh().await {
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(RETRY_INTERVAL).await,
            result => return result.context("read what was decided"),
        }
    }
}
