//! Who decides about access: this process, or another one.

use std::sync::Arc;

use acl::{AccessControl, LocalAcl, Management};
use rpc::RemoteAcl;
use service_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::settings::{Host, Settings};

/// Whoever decides about access.
pub(super) struct Access {
    pub(super) control: Arc<dyn AccessControl>,
    pub(super) management: Arc<dyn Management>,
    /// The one in this process, which needs the event store to begin.
    pub(super) local: Option<Arc<LocalAcl>>,
}

/// Starts what decides about access.
pub(super) fn start(
    settings: &Settings,
    store: &Arc<dyn Store>,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) -> Access {
    settings.access.warn();
    match settings.acl_type {
        Host::Local => {
            let own = &settings.relay_addresses;
            let told = settings.access.settings(settings.auth_required, own);
            let local = Arc::new(LocalAcl::new(told, Arc::clone(store) as _));
            tasks.spawn(Arc::clone(&local).run(shutdown.clone()));
            let (control, management) = (Arc::clone(&local) as _, Arc::clone(&local) as _);
            Access { control, management, local: Some(local) }
        }
        Host::Grpc => {
            let (address, timeout) = (&settings.acl_server.0, settings.acl_timeout);
            let mode = settings.access.mode.0;
            tracing::info!(%address, %mode, "access is decided by a service");
            let remote = RemoteAcl::new(address, timeout, mode).hiding_in(Arc::clone(store) as _);
            let remote = Arc::new(remote);
            tasks.spawn(Arc::clone(&remote).run(shutdown.clone()));
            Access { control: Arc::clone(&remote) as _, management: remote, local: None }
        }
    }
}
