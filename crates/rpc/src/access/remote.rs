//! The relay's side: a service decides who may do what.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use acl::{
    AccessControl, AccessLevel, Census, CuratingConfig, Entry, List, Management, ManagementError,
    Mode, Subject, UnclassifiedUsers,
};
use async_trait::async_trait;
use event::{Event, EventRef, Kind, Prefix, Pubkey, Rejection};
use parking_lot::RwLock;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::entries::config;
use super::failure::{from_status, malformed, rejection, unreachable};
use super::lists;
use crate::Address;
use crate::connect::MESSAGE_LIMIT;
use crate::proto::orlyacl::v1 as proto;
use proto::acl_service_client::AclServiceClient;

/// How often the service is asked whether it is ready.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it is not.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// How long a level that the service told holds at most.
const LEVEL_LIFE: Duration = Duration::from_secs(2);
/// The same in mode none, in which levels are those of the service's settings.
const LEVEL_LIFE_OPEN: Duration = Duration::from_secs(30);
/// Application data, among it the configuration of mode curating.
const CONFIG_KIND: Kind = Kind::new(30_078);

/// An [`AccessControl`] that asks `orlyacl.v1.ACLService`, ours or the original's.
///
/// While the service is away nobody may do anything; it is found again by itself.
pub struct RemoteAcl {
    client: AclServiceClient<Channel>,
    address: Address,
    timeout: Duration,
    mode: RwLock<Mode>,
    is_ready: AtomicBool,
    /// Told when a call found the service away.
    is_away: Notify,
    revision: AtomicU64,
    hidden: RwLock<Option<Arc<HashSet<Pubkey>>>>,
}

impl RemoteAcl {
    /// Asks the service at `address`, which may take `timeout` for an answer; `mode` is what it is expected
    /// to run in. Not ready until [`run`](Self::run) finds that the service is.
    pub fn new(address: &Address, timeout: Duration, mode: Mode) -> Self {
        let client = AclServiceClient::new(address.connect())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Self {
            client,
            address: address.clone(),
            timeout,
            mode: RwLock::new(mode),
            is_ready: AtomicBool::new(false),
            is_away: Notify::new(),
            revision: AtomicU64::new(0),
            hidden: RwLock::default(),
        }
    }

    /// Follows whether the service is ready, in which mode it is and whom it hides, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let follow = async {
            let mut learned = Instant::now();
            loop {
                let mode = self.ask_mode().await;
                let is_ready = self.note(mode).await;
                let life = match self.mode() {
                    Mode::None => LEVEL_LIFE_OPEN,
                    Mode::Follows | Mode::Managed | Mode::Curating => LEVEL_LIFE,
                };
                if learned.elapsed() >= life {
                    learned = Instant::now();
                    self.forget_levels();
                }
                let interval = if is_ready { ASK_INTERVAL } else { RETRY_INTERVAL };
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    () = self.is_away.notified() => {}
                }
            }
        };
        shutdown.run_until_cancelled(follow).await;
    }

    /// The mode of the service, once it is ready.
    async fn ask_mode(&self) -> Option<Mode> {
        let mut client = self.client.clone();
        let asked = async {
            let is_ready = client.ready(proto::Empty {}).await.ok()?.into_inner().ready;
            let mode = client.get_mode(proto::Empty {}).await.ok()?.into_inner().mode;
            if !is_ready {
                return None;
            }
            let known = mode.parse().ok();
            if known.is_none() {
                tracing::error!(address = %self.address, mode, "access control runs in a mode unknown here");
            }
            known
        };
        timeout(self.timeout, asked).await.ok().flatten()
    }

    /// Takes note of the service's mode, or that it is away; whether it is ready.
    async fn note(&self, mode: Option<Mode>) -> bool {
        let Some(mode) = mode else {
            if self.is_ready.swap(false, Ordering::AcqRel) {
                tracing::warn!(address = %self.address, "access control is away: nobody may do anything until it returns");
                self.forget_levels();
            }
            return false;
        };
        if mode == Mode::Curating && self.look_for_hidden().await.is_err() {
            return self.is_ready.load(Ordering::Acquire);
        }
        let expected = std::mem::replace(&mut *self.mode.write(), mode);
        if expected != mode {
            tracing::warn!(%expected, %mode, "access control runs in another mode than ORLY_ACL_MODE says");
        }
        let was_ready = self.is_ready.swap(true, Ordering::AcqRel);
        if !was_ready || expected != mode {
            tracing::info!(address = %self.address, %mode, "access control is ready");
            self.forget_levels();
        }
        true
    }

    async fn look_for_hidden(&self) -> Result<(), Status> {
        let entries = lists::entries(&mut self.client.clone(), List::BlacklistedPubkeys).await?;
        let pubkey = |entry: &Entry| match entry.subject {
            Subject::Pubkey(pubkey) => Some(pubkey),
            Subject::Event(_) | Subject::Kind(_) | Subject::Ip(_) => None,
        };
        let hidden: HashSet<Pubkey> = entries.iter().filter_map(pubkey).collect();
        let hidden = (!hidden.is_empty()).then(|| Arc::new(hidden));
        if *self.hidden.read() != hidden {
            *self.hidden.write() = hidden;
            self.forget_levels();
        }
        Ok(())
    }

    fn forget_levels(&self) {
        self.revision.fetch_add(1, Ordering::AcqRel);
    }

    /// What came of a call on behalf of a client.
    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<T, Rejection> {
        if !self.is_ready() {
            return Err(unreachable());
        }
        match timeout(self.timeout, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) => {
                self.failed(&status);
                Err(unreachable())
            }
            Err(_) => {
                self.failed(&Status::deadline_exceeded("no answer in time"));
                Err(unreachable())
            }
        }
    }

    fn failed(&self, status: &Status) {
        if status.code() == Code::Unavailable {
            self.is_away.notify_one();
        } else {
            tracing::error!(address = %self.address, %status, "ask access control");
        }
    }

    /// What came of a call on behalf of an operator.
    async fn manage<T>(
        &self,
        list: Option<List>,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, ManagementError> {
        let late = |_| ManagementError::Unavailable("no answer in time".into());
        let result = timeout(self.timeout, call).await.map_err(late)?;
        result.map_err(|status| from_status(&status, self.mode(), list))
    }

    /// The same for a call that changes something.
    async fn change(
        &self,
        list: Option<List>,
        call: impl Future<Output = Result<(), Status>>,
    ) -> Result<(), ManagementError> {
        self.manage(list, call).await?;
        if self.mode() == Mode::Curating && self.look_for_hidden().await.is_err() {
            tracing::debug!("the blacklist is read again in a second");
        }
        self.forget_levels();
        Ok(())
    }
}

#[async_trait]
impl AccessControl for RemoteAcl {
    fn mode(&self) -> Mode {
        *self.mode.read()
    }

    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Acquire)
    }

    fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    async fn level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection> {
        let pubkey = pubkey.map(|pubkey| pubkey.as_bytes().to_vec()).unwrap_or_default().into();
        let address = address.to_canonical().to_string();
        let request = proto::AccessLevelRequest { pubkey, address };
        let level = self.ask(self.client.clone().get_access_level(request)).await?.level;
        level.parse().map_err(|error| {
            tracing::error!(address = %self.address, %error, "ask access control");
            unreachable()
        })
    }

    async fn check(&self, event: EventRef<'_>, address: IpAddr) -> Result<(), Rejection> {
        let (author, event) = (event.pubkey().to_string(), Some(event.into()));
        let request = proto::PolicyCheckRequest { event };
        let policy = self.ask(self.client.clone().check_policy(request)).await?;
        if !policy.allowed {
            return Err(rejection(&policy.error));
        }
        if self.mode() != Mode::Curating {
            return Ok(());
        }
        let ip = address.to_canonical().to_string();
        let request = proto::RateLimitCheckRequest { pubkey: author, ip };
        let rate = self.ask(self.client.clone().rate_limit_check(request)).await?;
        if rate.allowed { Ok(()) } else { Err(Rejection::new(Prefix::RateLimited, rate.message)) }
    }

    async fn throttle(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<Duration, Rejection> {
        let pubkey = pubkey.map(|pubkey| pubkey.as_bytes().to_vec()).unwrap_or_default().into();
        let ip = address.to_canonical().to_string();
        let request = proto::ThrottleDelayRequest { pubkey, ip };
        let delay = self.ask(self.client.clone().get_throttle_delay(request)).await?.delay_ms;
        Ok(Duration::from_millis(u64::try_from(delay).unwrap_or_default()))
    }

    async fn on_stored(&self, event: EventRef<'_>) {
        if self.mode() != Mode::Curating || event.kind() != CONFIG_KIND {
            return;
        }
        let request = proto::ConfigEventRequest { event: Some(event.into()) };
        // The service looks for it in the store too; this only makes it hold at once.
        if let Err(error) = self.ask(self.client.clone().process_config_event(request)).await {
            tracing::debug!(%error, "tell access control of a configuration");
        }
    }

    fn hidden_authors(&self) -> Option<Arc<HashSet<Pubkey>>> {
        self.hidden.read().clone()
    }
}

#[async_trait]
impl Management for RemoteAcl {
    async fn put(&self, list: List, entry: Entry) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        self.change(Some(list), lists::put(&mut client, list, entry)).await
    }

    async fn remove(&self, list: List, subject: Subject) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        self.change(Some(list), lists::remove(&mut client, list, subject)).await
    }

    async fn entries(&self, list: List) -> Result<Vec<Entry>, ManagementError> {
        let mut client = self.client.clone();
        self.manage(Some(list), lists::entries(&mut client, list)).await
    }

    async fn configure(&self, event: Event) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        let request = proto::ConfigEventRequest { event: Some(event.as_ref().into()) };
        self.change(None, async { client.process_config_event(request).await.map(|_| ()) }).await
    }

    async fn config(&self) -> Result<Option<CuratingConfig>, ManagementError> {
        let mut client = self.client.clone();
        let call = async {
            let found = client.get_curating_config(proto::Empty {}).await?.into_inner();
            config(found).map_err(malformed)
        };
        self.manage(None, call).await
    }

    async fn unclassified(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<UnclassifiedUsers, ManagementError> {
        let mut client = self.client.clone();
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let request = proto::PaginationRequest { limit: number(limit), offset: number(offset) };
        let call = async {
            let found = client.list_unclassified_users(request).await?.into_inner();
            let users = found.users.into_iter().map(TryInto::try_into);
            let users = users.collect::<Result<_, _>>().map_err(malformed)?;
            Ok(UnclassifiedUsers { users, total: super::entries::size(found.total) })
        };
        self.manage(None, call).await
    }

    async fn scan(&self) -> Result<Census, ManagementError> {
        let mut client = self.client.clone();
        let call = async {
            let found = client.scan_all_pubkeys(proto::Empty {}).await?.into_inner();
            let pubkeys = super::entries::size(found.total_pubkeys);
            Ok(Census { pubkeys, events: u64::try_from(found.total_events).unwrap_or_default() })
        };
        self.manage(None, call).await
    }

    async fn set_peers(&self, peers: Vec<Pubkey>) -> Result<(), ManagementError> {
        let mut client = self.client.clone();
        let raw = |pubkey: &Pubkey| pubkey.as_bytes().to_vec().into();
        let request =
            proto::UpdatePeerAdminsRequest { peer_pubkeys: peers.iter().map(raw).collect() };
        self.change(None, async { client.update_peer_admins(request).await.map(|_| ()) }).await
    }
}
