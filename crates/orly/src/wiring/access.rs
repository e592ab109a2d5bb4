//! Who decides about access: this process, or another one.

use std::sync::Arc;

use acl::{AccessControl, LocalAcl, Management};
use rpc::RemoteAcl;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event_store::Store;
use crate::settings::{AccessControlHost, Settings};

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
        AccessControlHost::Local => {
            let told = settings.access.settings(settings.auth_required, settings.url().as_deref());
            let local = Arc::new(LocalAcl::new(told, Arc::clone(store) as _));
            tasks.spawn(Arc::clone(&local).run(shutdown.clone()));
            let (control, management) = (Arc::clone(&local) as _, Arc::clone(&local) as _);
            Access { control, management, local: Some(local) }
        }
        AccessControlHost::Grpc => {
            let (address, timeout) = (&settings.acl_server.0, settings.acl_timeout);
            let mode = settings.access.mode.0;
            tracing::info!(%address, %mode, "access is decided by a service");
            let remote = Arc::new(RemoteAcl::new(address, timeout, mode));
            tasks.spawn(Arc::clone(&remote).run(shutdown.clone()));
            Access { control: Arc::clone(&remote) as _, management: remote, local: None }
        }
    }
}
