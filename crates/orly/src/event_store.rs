//! The event store of the settings: in this process, or behind a service.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use rpc::RemoteStore;
use service_settings::RelayDatabase;
use service_store::{EventStore, Store, at_neo4j, open_shared};
use store::StoreError;
use store_lmdb::{Access, LmdbStore};
use tokio::time::Instant;

use crate::settings::Settings;

/// How often a look is taken for a service that is not there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The event store of a relay. A service need not be there yet.
pub(crate) fn of_relay(settings: &Settings) -> anyhow::Result<EventStore> {
    Ok(match settings.db_type {
        RelayDatabase::Embedded => embedded(settings, Access::Create)?.into(),
        RelayDatabase::Remote => remote(settings).into(),
        RelayDatabase::Neo4j => at_neo4j(&settings.neo4j, settings.relay_addresses.urls())?.into(),
    })
}

/// The event store of a command. A service is waited for, but not for long.
pub(crate) async fn of_command(
    settings: &Settings,
    access: Access,
) -> anyhow::Result<Arc<dyn Store>> {
    match settings.db_type {
        RelayDatabase::Embedded => Ok(Arc::new(embedded(settings, access)?)),
        RelayDatabase::Remote => Ok(Arc::new(connected(settings).await?)),
        RelayDatabase::Neo4j => {
            let store = at_neo4j(&settings.neo4j, settings.relay_addresses.urls())?;
            store.prepare().await?;
            Ok(Arc::new(store))
        }
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
    Ok(service_store::open(&settings.store, access, settings.relay_addresses.urls())?)
}

/// The files of the event store, for a command that needs them.
pub(crate) fn files(settings: &Settings, access: Access) -> anyhow::Result<LmdbStore> {
    ensure!(
        settings.db_type == RelayDatabase::Embedded,
        "this needs the files of the event store: run it where they are, with ORLY_DB_TYPE=badger and \
         ORLY_DATA_DIR as the database service has it"
    );
    embedded(settings, access)
}

/// Where the event store is, for a log.
pub(crate) fn place(settings: &Settings) -> String {
    match settings.db_type {
        RelayDatabase::Embedded => settings.store.data_dir.display().to_string(),
        RelayDatabase::Remote => settings.db_server.0.to_string(),
        RelayDatabase::Neo4j => settings.neo4j.uri.as_str().to_owned(),
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
    if settings.db_direct_reads { store.reading_files(Box::new(open_shared)) } else { store }
}
