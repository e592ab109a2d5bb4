//! The event store of the settings: in this process, or behind a service.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use acl::AclStore;
use anyhow::{Context, ensure};
use relay_sync::SyncStore;
use rpc::{RemoteStore, SharedFiles};
use store::StoreError;
use store_lmdb::{Access, LmdbStore, Options};
use tokio::time::Instant;

use crate::settings::{Database, Settings};

/// How often a look is taken for a service that is not there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// All that the relay and its commands ask of an event store.
pub(crate) trait Store: SyncStore + AclStore {}

impl<S: SyncStore + AclStore> Store for S {}

/// The event store of a relay. A service need not be there yet.
pub(crate) fn of_relay(settings: &Settings) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match settings.db_type {
        Database::Embedded => Arc::new(embedded(settings, Access::Create)?),
        Database::Grpc => Arc::new(remote(settings)),
    })
}

/// The event store of a command. A service is waited for, but not for long.
pub(crate) async fn of_command(
    settings: &Settings,
    access: Access,
) -> anyhow::Result<Arc<dyn Store>> {
    match settings.db_type {
        Database::Embedded => Ok(Arc::new(embedded(settings, access)?)),
        Database::Grpc => Ok(Arc::new(connected(settings).await?)),
    }
}

/// The service, once it answers.
pub(crate) async fn connected(settings: &Settings) -> anyhow::Result<RemoteStore> {
    let store = remote(settings);
    let until = Instant::now() + settings.db_timeout;
    loop {
        match store.connect().await {
            Ok(()) => return Ok(store),
            Err(StoreError::Unavailable(_)) if Instant::now() < until => {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            Err(error) => return Err(error).context("ORLY_GRPC_SERVER"),
        }
    }
}

/// The embedded store, for what needs its files.
pub(crate) fn embedded(settings: &Settings, access: Access) -> anyhow::Result<LmdbStore> {
    let options = Options {
        max_map_mib: settings.db_map_size_mb,
        access,
        ..Options::new(&settings.data_dir).within(daemon::available_memory())
    };
    Ok(LmdbStore::open(options, settings.url())?)
}

/// The files of the event store, for a command that needs them.
pub(crate) fn files(settings: &Settings, access: Access) -> anyhow::Result<LmdbStore> {
    ensure!(
        settings.db_type == Database::Embedded,
        "this needs the files of the event store: run it where they are, with ORLY_DB_TYPE=badger and \
         ORLY_DATA_DIR as the database service has it"
    );
    embedded(settings, access)
}

/// Where the event store is, for a log.
pub(crate) fn place(settings: &Settings) -> String {
    match settings.db_type {
        Database::Embedded => settings.data_dir.display().to_string(),
        Database::Grpc => settings.db_server.0.to_string(),
    }
}

/// Whether `error` says that the store is away and may come back.
pub(crate) fn is_away(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Unavailable(_))))
}

fn remote(settings: &Settings) -> RemoteStore {
    let store = RemoteStore::new(settings.db_server.0.clone()).quiet_for(settings.db_timeout);
    if settings.db_direct_reads { store.reading_files(Box::new(open_files)) } else { store }
}

/// Opens the files of a service on this host, to read them beside it.
fn open_files(files: &SharedFiles) -> Result<Arc<dyn SyncStore>, Box<dyn Error + Send + Sync>> {
    if files.engine != "lmdb" {
        return Err(format!("this version does not read files of {}", files.engine).into());
    }
    Ok(Arc::new(LmdbStore::open_beside(&files.directory, &files.database_id)?))
}
