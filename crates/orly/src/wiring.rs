//! The relay's parts, put together.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use acl::LocalAcl;
use anyhow::Context;
use daemon::Start;
use event::Keys;
use relay_sync::{NegentropySessions, PeerSync};
use store_lmdb::{Access, LmdbStore, Options};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::settings::{AccessControlHost, Settings};

/// Runs the relay.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let connections = settings.max_connections.get() as u64;
    daemon::raise_file_limit(connections, "ORLY_MAX_GLOBAL_CONNECTIONS");
    let store = Arc::new(open(&settings, Access::Create)?);
    let keys = store::identity(&*store, rand::random()).await.context("read the relay's key")?;
    let (listen, port, health_port) = (settings.listen, settings.port, settings.health_port);
    let listener = bind(listen, port, "ORLY_LISTEN, ORLY_PORT").await?;
    let health = match health_port {
        0 => None,
        port => Some(bind(listen, port, "ORLY_LISTEN, ORLY_HEALTH_PORT").await?),
    };
    let addr = listener.local_addr().context("read the address of the listener")?;
    tracing::info!(%addr, health_port, data_dir = %settings.data_dir.display(), "listening");
    manager.ready();
    let tasks = TaskTracker::new();
    let sessions = settings.negentropy_enabled.then(|| {
        let store = Arc::clone(&store);
        Arc::new(NegentropySessions::new(store, settings.sessions()))
    });
    if let Some(sessions) = &sessions {
        tasks.spawn(Arc::clone(sessions).run(shutdown.clone()));
    }
    if let Some(peers) = peers(&settings, &store, &keys).await? {
        tasks.spawn(peers.run(shutdown.clone()));
    }
    settings.warn_of_access();
    if settings.acl_type == AccessControlHost::Grpc {
        anyhow::bail!("ORLY_ACL_TYPE=grpc: not built yet, take local");
    }
    let access = Arc::new(LocalAcl::new(settings.access_control(), Arc::clone(&store) as _));
    access.refresh().await.context("read what access control keeps in the event store")?;
    tasks.spawn(Arc::clone(&access).run(shutdown.clone()));
    let parts = relay::Parts {
        markers: Arc::clone(&store) as _,
        store,
        management: Some(Arc::clone(&access) as _),
        access,
        reconciler: sessions.map(|sessions| sessions as _),
    };
    relay::serve(listener, health, settings.relay(keys.pubkey()), parts, shutdown).await?;
    tasks.close();
    tasks.wait().await;
    tracing::info!("stopped");
    Ok(())
}

/// The relays to be kept in step with this one, if there are any.
async fn peers(
    settings: &Settings,
    store: &Arc<LmdbStore>,
    keys: &Keys,
) -> anyhow::Result<Option<Arc<PeerSync>>> {
    let urls = settings.peer_urls();
    if urls.is_empty() {
        return Ok(None);
    }
    let peers = PeerSync::new(Arc::clone(store) as _, settings.peers(keys));
    for url in urls {
        tracing::info!(target: "negentropy", peer = %url, "peer to be kept in step");
        peers.add(url).await.context("read the state of a peer")?;
    }
    Ok(Some(Arc::new(peers)))
}

/// Opens the event store.
pub(crate) fn open(settings: &Settings, access: Access) -> anyhow::Result<LmdbStore> {
    let options = Options {
        max_map_mib: settings.db_map_size_mb,
        access,
        ..Options::new(&settings.data_dir)
    };
    Ok(LmdbStore::open(options, settings.url())?)
}

async fn bind(listen: IpAddr, port: u16, variables: &str) -> anyhow::Result<TcpListener> {
    let addr = SocketAddr::new(listen, port);
    TcpListener::bind(addr).await.with_context(|| format!("listen on {addr} ({variables})"))
}
