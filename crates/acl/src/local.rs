//! Access control in this process, of any mode.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{Event, EventRef, Prefix, Pubkey, Rejection, Timestamp};
use store::{HiddenAuthors, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    AccessControl, AccessLevel, AclStore, Authorities, Census, Curating, CuratingConfig, Entry,
    Follows, FollowsSettings, List, Managed, Management, ManagementError, Mode, Open, REFRESH,
    Subject, UnclassifiedUsers,
};

/// How often it is written down how much newcomers sent: a kill loses what came since.
const KEEP_COUNTS: Duration = Duration::from_secs(10);

/// What access control is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How it decides.
    pub mode: Mode,
    /// May do everything.
    pub owners: Vec<Pubkey>,
    /// May manage the relay.
    pub admins: Vec<Pubkey>,
    /// Whether nobody unknown reads (mode managed).
    pub auth_required: bool,
    /// How follow lists are gathered (mode follows).
    pub follows: FollowsSettings,
}

/// Access control of one mode.
pub struct LocalAcl {
    authorities: Arc<Authorities>,
    mode: LocalMode,
}

enum LocalMode {
    Open(Open),
    Follows(Box<Follows>),
    Managed(Managed),
    Curating(Box<Curating>),
}

impl LocalAcl {
    /// Takes what an operator set, and the store that keeps what is decided at run time. It is ready after
    /// [`LocalAcl::refresh`].
    pub fn new(settings: Settings, store: Arc<dyn AclStore>) -> Self {
        let authorities = Arc::new(Authorities::new(&settings.owners, &settings.admins));
        let own = Arc::clone(&authorities);
        let mode = match settings.mode {
            Mode::None => LocalMode::Open(Open::new(own)),
            Mode::Follows => {
                LocalMode::Follows(Box::new(Follows::new(own, store, settings.follows)))
            }
            Mode::Managed => LocalMode::Managed(Managed::new(own, store, settings.auth_required)),
            Mode::Curating => LocalMode::Curating(Box::new(Curating::new(own, store))),
        };
        Self { authorities, mode }
    }

    /// Reads what is stored.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        match &self.mode {
            LocalMode::Open(_) => Ok(()),
            LocalMode::Follows(follows) => follows.refresh().await,
            LocalMode::Managed(managed) => managed.refresh().await,
            LocalMode::Curating(curating) => curating.refresh().await,
        }
    }

    /// Keeps up with what is stored and, in mode follows, with other relays, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        match &self.mode {
            LocalMode::Open(_) => {}
            LocalMode::Follows(follows) => follows.run(shutdown).await,
            LocalMode::Managed(_) => {
                let _: Option<()> = shutdown.run_until_cancelled(self.keep_up()).await;
            }
            LocalMode::Curating(curating) => {
                let counting = async {
                    loop {
                        tokio::time::sleep(KEEP_COUNTS).await;
                        keep_counts(curating).await;
                    }
                };
                let work = async { tokio::join!(self.keep_up(), counting) };
                let _: Option<((), ())> = shutdown.run_until_cancelled(work).await;
                keep_counts(curating).await;
            }
        }
    }

    async fn keep_up(&self) {
        loop {
            tokio::time::sleep(REFRESH).await;
            if let Err(error) = self.refresh().await {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "read what was decided");
            }
        }
    }

    /// The one of mode follows, if it is that.
    pub fn follows(&self) -> Option<&Follows> {
        match &self.mode {
            LocalMode::Follows(follows) => Some(follows),
            LocalMode::Open(_) | LocalMode::Managed(_) | LocalMode::Curating(_) => None,
        }
    }

    /// The one of mode curating, if it is that.
    pub fn curating(&self) -> Option<&Curating> {
        match &self.mode {
            LocalMode::Curating(curating) => Some(curating),
            LocalMode::Open(_) | LocalMode::Follows(_) | LocalMode::Managed(_) => None,
        }
    }

    fn access(&self) -> &dyn AccessControl {
        match &self.mode {
            LocalMode::Open(open) => open,
            LocalMode::Follows(follows) => &**follows,
            LocalMode::Managed(managed) => managed,
            LocalMode::Curating(curating) => &**curating,
        }
    }

    fn needs_curating(&self) -> Result<&Curating, ManagementError> {
        self.curating().ok_or(ManagementError::needs_curating(self.mode()))
    }
}

async fn keep_counts(curating: &Curating) {
    if let Err(error) = curating.keep_counts(Timestamp::now()).await {
        let error = &error as &dyn std::error::Error;
        tracing::debug!(error, "write down what was counted");
    }
}

#[async_trait]
impl AccessControl for LocalAcl {
    fn mode(&self) -> Mode {
        self.access().mode()
    }

    fn is_ready(&self) -> bool {
        self.access().is_ready()
    }

    fn revision(&self) -> u64 {
        self.access().revision()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.authorities.changes().follow()
    }

    async fn level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection> {
        // Who is banned is not known yet; owners and admins are.
        if !self.is_ready() && self.authorities.level(pubkey).is_none() {
            return Err(Rejection::new(Prefix::Error, "access control is not ready"));
        }
        self.access().level(pubkey, address).await
    }

    async fn check(&self, event: EventRef<'_>, address: IpAddr) -> Result<(), Rejection> {
        self.access().check(event, address).await
    }

    async fn throttle(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<Duration, Rejection> {
        self.access().throttle(pubkey, address).await
    }

    async fn on_stored(&self, event: EventRef<'_>) {
        self.access().on_stored(event).await;
    }

    fn hidden_authors(&self) -> Arc<HiddenAuthors> {
        self.access().hidden_authors()
    }
}

#[async_trait]
impl Management for LocalAcl {
    async fn put(&self, list: List, entry: Entry) -> Result<(), ManagementError> {
        match &self.mode {
            LocalMode::Managed(managed) => managed.put(list, entry).await,
            LocalMode::Curating(curating) => curating.put(list, entry).await,
            LocalMode::Open(_) | LocalMode::Follows(_) => {
                Err(ManagementError::needs_lists(self.mode(), list))
            }
        }
    }

    async fn remove(&self, list: List, subject: Subject) -> Result<(), ManagementError> {
        match &self.mode {
            LocalMode::Managed(managed) => managed.remove(list, subject).await,
            LocalMode::Curating(curating) => curating.remove(list, subject).await,
            LocalMode::Open(_) | LocalMode::Follows(_) => {
                Err(ManagementError::needs_lists(self.mode(), list))
            }
        }
    }

    async fn entries(&self, list: List) -> Result<Vec<Entry>, ManagementError> {
        match &self.mode {
            LocalMode::Managed(managed) => managed.entries(list),
            LocalMode::Curating(curating) => curating.entries(list, Timestamp::now()),
            LocalMode::Open(_) | LocalMode::Follows(_) => {
                Err(ManagementError::needs_lists(self.mode(), list))
            }
        }
    }

    async fn configure(&self, event: Event) -> Result<(), ManagementError> {
        self.needs_curating()?.configure(event).await
    }

    async fn config(&self) -> Result<Option<CuratingConfig>, ManagementError> {
        Ok(self.needs_curating()?.config())
    }

    async fn unclassified(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<UnclassifiedUsers, ManagementError> {
        Ok(self.needs_curating()?.unclassified(limit, offset).await?)
    }

    async fn scan(&self) -> Result<Census, ManagementError> {
        Ok(self.needs_curating()?.scan().await?)
    }

    async fn set_peers(&self, peers: Vec<Pubkey>) -> Result<(), ManagementError> {
        self.authorities.set_peers(peers);
        Ok(())
    }
}
