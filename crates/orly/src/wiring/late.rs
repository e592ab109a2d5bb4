//! What needs the event store before it can begin, which may be in a service that is not there yet.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acl::LocalAcl;
use anyhow::Context;
use event::Pubkey;
use relay_client::PeerUrl;
use relay_sync::PeerSync;
use service_store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::event_store::is_away;

/// How often a look is taken for the event store.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// What is to begin.
pub(super) struct Late {
    pub(super) store: Arc<dyn Store>,
    /// Where the relay's key goes.
    pub(super) identity: Arc<OnceLock<Pubkey>>,
    /// Access control in this process.
    pub(super) access: Option<Arc<LocalAcl>>,
    /// The relays to be kept in step by this process, and those that the settings name.
    pub(super) peers: Option<(Arc<PeerSync>, Vec<PeerUrl>)>,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

impl Late {
    /// Begins, at once if the event store is there, else when it comes.
    pub(super) async fn begin(self) -> anyhow::Result<()> {
        match self.try_begin().await {
            Err(error) if is_away(&error) => {
                let tasks = self.tasks.clone();
                tasks.spawn(async move {
                    let shutdown = self.shutdown.clone();
                    let _begun: Option<()> = shutdown.run_until_cancelled(self.begin_later()).await;
                });
                Ok(())
            }
            result => result,
        }
    }

    async fn begin_later(&self) {
        let mut told = false;
        while let Err(error) = self.try_begin().await {
            if !is_away(&error) && !told {
                told = true;
                let error = error.as_ref() as &dyn std::error::Error;
                tracing::error!(error, "begin with the event store");
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    async fn try_begin(&self) -> anyhow::Result<()> {
        let keys = store::identity(&*self.store, rand::random()).await;
        let keys = keys.context("read the relay's key")?;
        if let Some(access) = &self.access {
            access.refresh().await.context("read what access control keeps in the event store")?;
        }
        if let Some((peers, urls)) = &self.peers {
            peers.authenticate_as(keys.clone());
            peers.restore(urls.clone()).await.context("read the peers")?;
            self.tasks.spawn(Arc::clone(peers).run(self.shutdown.clone()));
        }
        // It may be set already, to the same: the store keeps it.
        self.identity.get_or_init(|| keys.pubkey());
        Ok(())
    }
}
