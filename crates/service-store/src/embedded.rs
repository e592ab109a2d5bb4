//! The files of an event store, opened by this process.

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use anyhow::anyhow;
use relay_sync::SyncStore;
use rpc::SharedFiles;
use service_settings::EmbeddedStore;
use store_lmdb::{Access, LmdbError, LmdbStore, Options};
use tokio_util::sync::CancellationToken;

/// What the files of LMDB are called where another process may read them. Another schema gets another name.
const ENGINE: &str = "lmdb";

/// Opens the files of this process, with as much memory as there is. The relay is at `urls`.
pub fn open(
    settings: &EmbeddedStore,
    access: Access,
    urls: Vec<String>,
) -> Result<LmdbStore, LmdbError> {
    let options = Options {
        max_map_mib: settings.map_size_mb,
        access,
        ..Options::new(&settings.data_dir).within(daemon::available_memory())
    };
    LmdbStore::open(options, urls)
}

/// What others on this host need to know to read the files of this process.
pub fn shared(settings: &EmbeddedStore, store: &LmdbStore) -> Result<SharedFiles, LmdbError> {
    Ok(SharedFiles {
        directory: settings.data_dir.clone(),
        engine: ENGINE.into(),
        database_id: store.describe()?.database_id,
    })
}

/// Opens the files of a service on this host, to read them beside it.
pub fn open_shared(
    files: &SharedFiles,
) -> Result<Arc<dyn SyncStore>, Box<dyn Error + Send + Sync>> {
    if files.engine != ENGINE {
        return Err(format!("this version does not read files of {}", files.engine).into());
    }
    let options = Options::new(&files.directory).within(daemon::available_memory());
    Ok(Arc::new(LmdbStore::open_beside(options, &files.database_id)?))
}

/// Does the work of a process. If the disk of its store fails meanwhile, the work is ended and the process is to
/// fail, so that whoever watches it starts it anew.
pub async fn while_sound(
    store: &LmdbStore,
    shutdown: &CancellationToken,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let mut work = pin!(work);
    tokio::select! {
        result = &mut work => result,
        broken = store.broken() => {
            shutdown.cancel();
            // Whatever it says comes of the same.
            drop(work.await);
            Err(match broken.source() {
                Some(cause) => anyhow!("{broken}: {cause}"),
                None => anyhow!("{broken}"),
            })
        }
    }
}
