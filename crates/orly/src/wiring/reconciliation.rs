//! Who answers NIP-77, and who keeps peers in step: this process, or another one.

use std::sync::Arc;

use relay_client::PeerUrl;
use relay_sync::{NegentropySessions, PeerSync, Reconciler};
use rpc::RemoteReconciler;
use service_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::settings::{Host, Settings};

/// Starts what answers clients, if anything is to.
pub(super) fn start(
    settings: &Settings,
    store: &Arc<dyn Store>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> Option<Arc<dyn Reconciler>> {
    if !settings.negentropy_enabled {
        return None;
    }
    if settings.sync_type == Host::Grpc {
        let (address, timeout) = (&settings.sync_server.0, settings.sync_timeout);
        tracing::info!(target: "negentropy", %address, "reconciliation is done by a service");
        let remote = Arc::new(RemoteReconciler::new(address, timeout));
        tasks.spawn(Arc::clone(&remote).run(shutdown.clone()));
        return Some(remote);
    }
    let sessions = settings.reconciliation.sessions();
    let sessions = Arc::new(NegentropySessions::new(Arc::clone(store) as _, sessions));
    tasks.spawn(Arc::clone(&sessions).run(shutdown.clone()));
    Some(sessions)
}

/// What keeps peers in step, if this process does, and the peers that the settings name.
pub(super) fn peers(
    settings: &Settings,
    store: &Arc<dyn Store>,
) -> Option<(Arc<PeerSync>, Vec<PeerUrl>)> {
    if settings.sync_type == Host::Grpc {
        return None;
    }
    let peers = settings.reconciliation.peers(&settings.events);
    let urls = settings.reconciliation.peer_urls(&settings.relay_addresses);
    Some((Arc::new(PeerSync::new(Arc::clone(store) as _, peers)), urls))
}
