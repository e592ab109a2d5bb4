//! The relay's side: a service decides who may do what.

mod following;
mod levels;
mod managing;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use acl::{AccessControl, AccessLevel, Changes, Mode};
use async_trait::async_trait;
use event::{EventRef, Kind, Prefix, Pubkey, Rejection};
use parking_lot::RwLock;
use store::{HiddenAuthors, Markers};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use super::failure::{rejection, unreachable};
use crate::Address;
use crate::connect::MESSAGE_LIMIT;
use crate::proto::orlyacl::v1 as proto;
use levels::{Levels, Question};
use proto::acl_service_client::AclServiceClient;

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
    /// What was decided, as far as it was noticed.
    changes: Changes,
    /// How often levels were forgotten because they grew old.
    lives: AtomicU64,
    levels: Levels,
    hidden: RwLock<Arc<HiddenAuthors>>,
    /// Where this process reads events, if it has them withhold who is hidden.
    markers: Option<Arc<dyn Markers>>,
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
            changes: Changes::default(),
            lives: AtomicU64::new(0),
            levels: Levels::default(),
            hidden: RwLock::default(),
            markers: None,
        }
    }

    /// Has the store from which this process reads events withhold those of hidden authors, also where the
    /// service keeps what it decides in another store.
    pub fn hiding_in(mut self, markers: Arc<dyn Markers>) -> Self {
        self.markers = Some(markers);
        self
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

    async fn ask_level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection> {
        let pubkey = pubkey.map(|pubkey| pubkey.as_bytes().to_vec()).unwrap_or_default().into();
        let request = proto::AccessLevelRequest { pubkey, address: address.to_string() };
        let level = self.ask(self.client.clone().get_access_level(request)).await?.level;
        level.parse().map_err(|error| {
            tracing::error!(address = %self.address, %error, "ask access control");
            unreachable()
        })
    }

    /// Whether an event is a configuration of mode curating that the service takes. The original refuses each
    /// event before it has one, the configuration itself too.
    async fn is_config_taken(&self, event: EventRef<'_>) -> bool {
        if self.mode() != Mode::Curating || event.kind() != CONFIG_KIND {
            return false;
        }
        let request = proto::ConfigEventRequest { event: Some(event.into()) };
        let mut client = self.client.clone();
        let call = timeout(self.timeout, client.process_config_event(request));
        matches!(call.await, Ok(Ok(_)))
    }

    fn failed(&self, status: &Status) {
        if status.code() == Code::Unavailable {
            self.is_away.notify_one();
        } else {
            tracing::error!(address = %self.address, %status, "ask access control");
        }
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
        self.changes.count().wrapping_add(self.lives.load(Ordering::Acquire))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.follow()
    }

    async fn level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection> {
        let address = address.to_canonical();
        let question = Question { pubkey, address, revision: self.revision() };
        self.levels.get(question, || self.ask_level(pubkey, address)).await
    }

    async fn check(&self, event: EventRef<'_>, address: IpAddr) -> Result<(), Rejection> {
        let request = proto::PolicyCheckRequest { event: Some(event.into()) };
        let policy = self.ask(self.client.clone().check_policy(request)).await?;
        if !policy.allowed {
            let is_taken = self.is_config_taken(event).await;
            return if is_taken { Ok(()) } else { Err(rejection(&policy.error)) };
        }
        if self.mode() != Mode::Curating {
            return Ok(());
        }
        let ip = address.to_canonical().to_string();
        let request = proto::RateLimitCheckRequest { pubkey: event.pubkey().to_string(), ip };
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

    fn hidden_authors(&self) -> Arc<HiddenAuthors> {
        Arc::clone(&self.hidden.read())
    }
}
