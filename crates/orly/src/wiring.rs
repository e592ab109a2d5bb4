//! The relay's parts, put together.

mod access;
mod late;
mod reconciliation;

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use daemon::Start;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::event_store;
use crate::settings::Settings;

use late::Late;

/// Runs the relay.
pub(crate) async fn serve(start: Start<Settings>) -> anyhow::Result<()> {
    let Start { settings, shutdown, manager } = start;
    let connections = settings.limits.max_connections.get() as u64;
    daemon::raise_file_limit(connections, "ORLY_MAX_GLOBAL_CONNECTIONS");
    let event_store = event_store::of_relay(&settings)?;
    let store = event_store.get();
    let (listen, port, health_port) = (settings.listen, settings.port, settings.health_port);
    let listener = bind(listen, port, "ORLY_LISTEN, ORLY_PORT").await?;
    let health = match health_port {
        0 => None,
        port => Some(bind(listen, port, "ORLY_LISTEN, ORLY_HEALTH_PORT").await?),
    };
    let addr = listener.local_addr().context("read the address of the listener")?;
    tracing::info!(%addr, health_port, event_store = event_store::place(&settings), "listening");
    manager.ready();
    let tasks = TaskTracker::new();
    let reconciler = reconciliation::start(&settings, &store, &tasks, &shutdown);
    let access = access::start(&settings, &store, &tasks, &shutdown);
    let relay = settings.relay();
    let late = Late {
        store: Arc::clone(&store),
        identity: Arc::clone(&relay.about.identity),
        access: access.local,
        peers: reconciliation::peers(&settings, &store),
        tasks: tasks.clone(),
        shutdown: shutdown.clone(),
    };
    late.begin().await?;
    let parts = relay::Parts {
        markers: Arc::clone(&store) as _,
        store,
        access: access.control,
        management: Some(access.management),
        reconciler,
    };
    let serving = relay::serve(listener, health, relay, parts, shutdown.clone());
    event_store.while_sound(&shutdown, serving).await?;
    tasks.close();
    tasks.wait().await;
    tracing::info!("stopped");
    Ok(())
}

async fn bind(listen: IpAddr, port: u16, variables: &str) -> anyhow::Result<TcpListener> {
    let addr = SocketAddr::new(listen, port);
    TcpListener::bind(addr).await.map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "; stop what listens there or name another port",
            _ => "",
        };
        anyhow!("listen on {addr} ({variables}): {error}{remedy}")
    })
}
