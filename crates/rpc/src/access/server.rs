//! The service: access control of this process, for relays and operators to call.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use acl::{
    AccessControl, AclStore, Curating, Entry, Follows, List, LocalAcl, Management, ManagementError,
    Subject, SubjectKind, Subscriptions, Verdict,
};
use event::{Event, Pubkey, Timestamp};
use tonic::{Request, Response, Status};

use super::entries::{int, kind, pubkey, raw_pubkey, seconds, size, subject, timestamp};
use super::failure::{malformed, of_claim, to_status};
use super::revision;
use crate::connect::MESSAGE_LIMIT;
use crate::convert::Malformed;
use crate::proto::orlyacl::v1 as proto;
use crate::proto::orlydb::v1 as db;
use crate::{Readiness, Service};
use proto::acl_service_server::{AclService, AclServiceServer};

type Answer<T> = Result<Response<T>, Status>;

/// `orlyacl.v1.ACLService`.
pub struct AclServer {
    acl: Arc<LocalAcl>,
    store: Arc<dyn AclStore>,
    subscriptions: Subscriptions,
    readiness: Readiness,
    /// Unlike that of any other service.
    instance: u64,
}

impl AclServer {
    /// Serves access control, which is run by whoever made it, over the store it keeps its decisions in.
    pub fn new(acl: Arc<LocalAcl>, store: Arc<dyn AclStore>, readiness: Readiness) -> Self {
        let subscriptions = Subscriptions::new(Arc::clone(&store));
        Self { acl, store, subscriptions, readiness, instance: rand::random() }
    }

    /// The service, to be added to a server.
    pub fn into_service(self) -> Service {
        let service = AclServiceServer::new(self)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Service::new(service)
    }

    fn follows(&self) -> Result<&Follows, Status> {
        self.acl.follows().ok_or_else(|| self.wrong_mode("follows"))
    }

    fn curating(&self) -> Result<&Curating, Status> {
        self.acl.curating().ok_or_else(|| self.wrong_mode("curating"))
    }

    fn wrong_mode(&self, needed: &'static str) -> Status {
        to_status(ManagementError::WrongMode { mode: self.acl.mode(), needed })
    }

    async fn put(
        &self,
        list: List,
        subject: Result<Subject, Malformed>,
        reason: String,
        author: Option<Pubkey>,
    ) -> Answer<proto::Empty> {
        let subject = subject.map_err(malformed)?;
        let entry = Entry { subject, reason, added: Timestamp::now(), author };
        self.acl.put(list, entry).await.map_err(to_status)?;
        Ok(Response::new(proto::Empty {}))
    }

    async fn remove(
        &self,
        list: List,
        subject: Result<Subject, Malformed>,
    ) -> Answer<proto::Empty> {
        self.acl.remove(list, subject.map_err(malformed)?).await.map_err(to_status)?;
        Ok(Response::new(proto::Empty {}))
    }

    async fn entries<M: for<'a> From<&'a Entry>>(&self, list: List) -> Result<Vec<M>, Status> {
        let entries = self.acl.entries(list).await.map_err(to_status)?;
        Ok(entries.iter().map(M::from).collect())
    }
}

fn key(text: &str) -> Result<Subject, Malformed> {
    subject(SubjectKind::Pubkey, "pubkey", text)
}

fn id(text: &str) -> Result<Subject, Malformed> {
    subject(SubjectKind::Event, "event_id", text)
}

/// Where a client is: an address, with the port that relays of the original leave at it.
fn place(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port)
}

/// An address; what is none is nobody's.
fn address(text: &str) -> IpAddr {
    place(text).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}

fn event(message: Option<db::Event>) -> Result<Event, Status> {
    let message = message.ok_or_else(|| Status::invalid_argument("event: is missing"))?;
    Event::try_from(message).map_err(malformed)
}

fn empty() -> Answer<proto::Empty> {
    Ok(Response::new(proto::Empty {}))
}

#[tonic::async_trait]
impl AclService for AclServer {
    async fn get_access_level(
        &self,
        request: Request<proto::AccessLevelRequest>,
    ) -> Answer<proto::AccessLevelResponse> {
        let request = request.into_inner();
        let pubkey = raw_pubkey(&request.pubkey).map_err(malformed)?;
        let level = self.acl.level(pubkey, address(&request.address)).await;
        let level = level.map_err(|rejection| Status::internal(rejection.to_string()))?;
        Ok(Response::new(proto::AccessLevelResponse { level: level.as_str().into() }))
    }

    async fn check_policy(
        &self,
        request: Request<proto::PolicyCheckRequest>,
    ) -> Answer<proto::PolicyCheckResponse> {
        let event = event(request.into_inner().event)?;
        let result = match self.acl.curating() {
            Some(curating) => curating.check_policy(event.as_ref(), Timestamp::now()),
            None => self.acl.check(event.as_ref(), address("")).await,
        };
        let error = result.err().map(|rejection| rejection.to_string()).unwrap_or_default();
        let allowed = error.is_empty();
        Ok(Response::new(proto::PolicyCheckResponse { allowed, error }))
    }

    async fn get_acl_info(&self, _: Request<proto::Empty>) -> Answer<proto::AclInfoResponse> {
        let mode = self.acl.mode();
        Ok(Response::new(proto::AclInfoResponse {
            name: mode.as_str().into(),
            description: mode.description().into(),
            documentation: mode.documentation().into(),
        }))
    }

    async fn get_mode(&self, _: Request<proto::Empty>) -> Answer<proto::ModeResponse> {
        Ok(Response::new(proto::ModeResponse { mode: self.acl.mode().as_str().into() }))
    }

    async fn ready(&self, _: Request<proto::Empty>) -> Answer<proto::ReadyResponse> {
        let ready = self.readiness.is_ready() && self.acl.is_ready();
        let mut response = Response::new(proto::ReadyResponse { ready });
        revision::put(response.metadata_mut(), self.instance, *self.acl.changes().borrow());
        Ok(response)
    }

    async fn get_throttle_delay(
        &self,
        request: Request<proto::ThrottleDelayRequest>,
    ) -> Answer<proto::ThrottleDelayResponse> {
        let request = request.into_inner();
        let pubkey = raw_pubkey(&request.pubkey).map_err(malformed)?;
        let delay = self.acl.throttle(pubkey, address(&request.ip)).await.unwrap_or_default();
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        Ok(Response::new(proto::ThrottleDelayResponse { delay_ms }))
    }

    async fn add_follow(&self, request: Request<proto::AddFollowRequest>) -> Answer<proto::Empty> {
        let pubkey = raw_pubkey(&request.into_inner().pubkey).map_err(malformed)?;
        let pubkey = pubkey.ok_or_else(|| Status::invalid_argument("pubkey: is missing"))?;
        self.follows()?.follow(pubkey);
        empty()
    }

    async fn get_followed_pubkeys(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::FollowedPubkeysResponse> {
        let followed = self.follows()?.followed();
        let pubkeys = followed.iter().map(|pubkey| pubkey.as_bytes().to_vec().into()).collect();
        Ok(Response::new(proto::FollowedPubkeysResponse { pubkeys }))
    }

    async fn get_admin_relays(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::AdminRelaysResponse> {
        let urls = self.follows()?.relays().iter().map(ToString::to_string).collect();
        Ok(Response::new(proto::AdminRelaysResponse { urls }))
    }

    async fn ban_pubkey(&self, request: Request<proto::BanPubkeyRequest>) -> Answer<proto::Empty> {
        let request = request.into_inner();
        self.put(List::BannedPubkeys, key(&request.pubkey), request.reason, None).await
    }

    async fn unban_pubkey(&self, request: Request<proto::PubkeyRequest>) -> Answer<proto::Empty> {
        self.remove(List::BannedPubkeys, key(&request.into_inner().pubkey)).await
    }

    async fn list_banned_pubkeys(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListBannedPubkeysResponse> {
        let pubkeys = self.entries(List::BannedPubkeys).await?;
        Ok(Response::new(proto::ListBannedPubkeysResponse { pubkeys }))
    }

    async fn allow_pubkey(
        &self,
        request: Request<proto::AllowPubkeyRequest>,
    ) -> Answer<proto::Empty> {
        let request = request.into_inner();
        self.put(List::AllowedPubkeys, key(&request.pubkey), request.reason, None).await
    }

    async fn disallow_pubkey(
        &self,
        request: Request<proto::PubkeyRequest>,
    ) -> Answer<proto::Empty> {
        self.remove(List::AllowedPubkeys, key(&request.into_inner().pubkey)).await
    }

    async fn list_allowed_pubkeys(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListAllowedPubkeysResponse> {
        let pubkeys = self.entries(List::AllowedPubkeys).await?;
        Ok(Response::new(proto::ListAllowedPubkeysResponse { pubkeys }))
    }

    async fn ban_event(&self, request: Request<proto::BanEventRequest>) -> Answer<proto::Empty> {
        let request = request.into_inner();
        self.put(List::BannedEvents, id(&request.event_id), request.reason, None).await
    }

    async fn unban_event(&self, request: Request<proto::EventRequest>) -> Answer<proto::Empty> {
        self.remove(List::BannedEvents, id(&request.into_inner().event_id)).await
    }

    async fn list_banned_events(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListBannedEventsResponse> {
        let events = self.entries(List::BannedEvents).await?;
        Ok(Response::new(proto::ListBannedEventsResponse { events }))
    }

    async fn allow_event(&self, request: Request<proto::BanEventRequest>) -> Answer<proto::Empty> {
        let request = request.into_inner();
        self.put(List::AllowedEvents, id(&request.event_id), request.reason, None).await
    }

    async fn disallow_event(&self, request: Request<proto::EventRequest>) -> Answer<proto::Empty> {
        self.remove(List::AllowedEvents, id(&request.into_inner().event_id)).await
    }

    async fn list_allowed_events(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListAllowedEventsResponse> {
        let events = self.entries(List::AllowedEvents).await?;
        Ok(Response::new(proto::ListAllowedEventsResponse { events }))
    }

    async fn block_ip(&self, request: Request<proto::BlockIpRequest>) -> Answer<proto::Empty> {
        let request = request.into_inner();
        let ip = subject(SubjectKind::Ip, "ip", &request.ip);
        self.put(List::BlockedIps, ip, request.reason, None).await
    }

    async fn unblock_ip(&self, request: Request<proto::IpRequest>) -> Answer<proto::Empty> {
        let ip = subject(SubjectKind::Ip, "ip", &request.into_inner().ip);
        self.remove(List::BlockedIps, ip).await
    }

    async fn list_blocked_i_ps(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListBlockedIPsResponse> {
        let ips = self.entries(List::BlockedIps).await?;
        Ok(Response::new(proto::ListBlockedIPsResponse { ips }))
    }

    async fn allow_kind(&self, request: Request<proto::AllowKindRequest>) -> Answer<proto::Empty> {
        let kind = kind(request.into_inner().kind).map(Subject::Kind);
        self.put(List::AllowedKinds, kind, String::new(), None).await
    }

    async fn disallow_kind(&self, request: Request<proto::KindRequest>) -> Answer<proto::Empty> {
        self.remove(List::AllowedKinds, kind(request.into_inner().kind).map(Subject::Kind)).await
    }

    async fn list_allowed_kinds(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListAllowedKindsResponse> {
        let entries = self.acl.entries(List::AllowedKinds).await.map_err(to_status)?;
        let kind = |entry: &Entry| match entry.subject {
            Subject::Kind(kind) => Some(kind.as_u16().into()),
            Subject::Pubkey(_) | Subject::Event(_) | Subject::Ip(_) => None,
        };
        let kinds = entries.iter().filter_map(kind).collect();
        Ok(Response::new(proto::ListAllowedKindsResponse { kinds }))
    }

    async fn update_peer_admins(
        &self,
        request: Request<proto::UpdatePeerAdminsRequest>,
    ) -> Answer<proto::Empty> {
        let request = request.into_inner();
        let peers = request.peer_pubkeys.iter().map(|bytes| raw_pubkey(bytes));
        let peers: Vec<Option<Pubkey>> = peers.collect::<Result<_, _>>().map_err(malformed)?;
        self.acl.set_peers(peers.into_iter().flatten().collect()).await.map_err(to_status)?;
        empty()
    }

    async fn trust_pubkey(
        &self,
        request: Request<proto::TrustPubkeyRequest>,
    ) -> Answer<proto::Empty> {
        let request = request.into_inner();
        self.put(List::TrustedPubkeys, key(&request.pubkey), request.note, None).await
    }

    async fn untrust_pubkey(&self, request: Request<proto::PubkeyRequest>) -> Answer<proto::Empty> {
        self.remove(List::TrustedPubkeys, key(&request.into_inner().pubkey)).await
    }

    async fn list_trusted_pubkeys(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListTrustedPubkeysResponse> {
        let pubkeys = self.entries(List::TrustedPubkeys).await?;
        Ok(Response::new(proto::ListTrustedPubkeysResponse { pubkeys }))
    }

    async fn blacklist_pubkey(
        &self,
        request: Request<proto::BlacklistPubkeyRequest>,
    ) -> Answer<proto::Empty> {
        let request = request.into_inner();
        self.put(List::BlacklistedPubkeys, key(&request.pubkey), request.reason, None).await
    }

    async fn unblacklist_pubkey(
        &self,
        request: Request<proto::PubkeyRequest>,
    ) -> Answer<proto::Empty> {
        self.remove(List::BlacklistedPubkeys, key(&request.into_inner().pubkey)).await
    }

    async fn list_blacklisted_pubkeys(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListBlacklistedPubkeysResponse> {
        let pubkeys = self.entries(List::BlacklistedPubkeys).await?;
        Ok(Response::new(proto::ListBlacklistedPubkeysResponse { pubkeys }))
    }

    async fn mark_spam(&self, request: Request<proto::MarkSpamRequest>) -> Answer<proto::Empty> {
        let request = request.into_inner();
        let author = match request.pubkey.as_str() {
            "" => None,
            text => Some(pubkey("pubkey", text).map_err(malformed)?),
        };
        self.put(List::SpamEvents, id(&request.event_id), request.reason, author).await
    }

    async fn unmark_spam(&self, request: Request<proto::EventRequest>) -> Answer<proto::Empty> {
        self.remove(List::SpamEvents, id(&request.into_inner().event_id)).await
    }

    async fn list_spam_events(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ListSpamEventsResponse> {
        let events = self.entries(List::SpamEvents).await?;
        Ok(Response::new(proto::ListSpamEventsResponse { events }))
    }

    async fn rate_limit_check(
        &self,
        request: Request<proto::RateLimitCheckRequest>,
    ) -> Answer<proto::RateLimitCheckResponse> {
        let request = request.into_inner();
        let author = match request.pubkey.as_str() {
            "" => None,
            text => Some(pubkey("pubkey", text).map_err(malformed)?),
        };
        let curating = self.curating()?;
        let ip = place(&request.ip);
        let ip = ip.ok_or_else(|| Status::invalid_argument("ip: expected an IP address"))?;
        let verdict = curating.check_address(author, ip, Timestamp::now()).await;
        let (allowed, message) = match verdict.map_err(to_status)? {
            Verdict::Allowed => (true, String::new()),
            Verdict::Refused(reason) => (false, reason),
        };
        Ok(Response::new(proto::RateLimitCheckResponse { allowed, message }))
    }

    async fn process_config_event(
        &self,
        request: Request<proto::ConfigEventRequest>,
    ) -> Answer<proto::Empty> {
        self.curating()?;
        let event = event(request.into_inner().event)?;
        self.acl.configure(event).await.map_err(to_status)?;
        empty()
    }

    async fn get_curating_config(&self, _: Request<proto::Empty>) -> Answer<proto::CuratingConfig> {
        let config = self.curating()?.config();
        Ok(Response::new(config.map(Into::into).unwrap_or_default()))
    }

    async fn is_curating_configured(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::BoolResponse> {
        let value = self.curating()?.config().is_some();
        Ok(Response::new(proto::BoolResponse { value }))
    }

    async fn list_unclassified_users(
        &self,
        request: Request<proto::PaginationRequest>,
    ) -> Answer<proto::ListUnclassifiedUsersResponse> {
        let request = request.into_inner();
        let (limit, offset) = (size(request.limit), size(request.offset));
        let found = self.acl.unclassified(limit, offset).await.map_err(to_status)?;
        let users = found.users.iter().map(Into::into).collect();
        let total = int(found.total);
        Ok(Response::new(proto::ListUnclassifiedUsersResponse { users, total }))
    }

    async fn get_events_for_pubkey(
        &self,
        request: Request<proto::GetEventsForPubkeyRequest>,
    ) -> Answer<proto::EventsForPubkeyResponse> {
        self.curating()?;
        let request = request.into_inner();
        let author = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        let (limit, offset) = (size(request.limit), size(request.offset));
        let found = acl::events_of(&*self.store, author, limit, offset).await.map_err(to_status)?;
        let events = found.events.iter().map(|(_, event)| proto::EventSummary {
            id: event.id().to_string(),
            kind: event.kind().as_u16().into(),
            content: event.content().into_owned().into(),
            created_at: seconds(event.created_at()),
        });
        let (events, total) = (events.collect(), int(found.total));
        Ok(Response::new(proto::EventsForPubkeyResponse { events, total }))
    }

    async fn delete_events_for_pubkey(
        &self,
        request: Request<proto::DeleteEventsForPubkeyRequest>,
    ) -> Answer<proto::DeleteCountResponse> {
        self.curating()?;
        let author = pubkey("pubkey", &request.into_inner().pubkey).map_err(malformed)?;
        let count = acl::delete_events_of(&*self.store, author).await.map_err(to_status)?;
        Ok(Response::new(proto::DeleteCountResponse { count: int(count) }))
    }

    async fn scan_all_pubkeys(
        &self,
        _: Request<proto::Empty>,
    ) -> Answer<proto::ScanResultResponse> {
        let census = self.acl.scan().await.map_err(to_status)?;
        let (total_pubkeys, total_events) = (int(census.pubkeys), int(census.events));
        Ok(Response::new(proto::ScanResultResponse { total_pubkeys, total_events }))
    }

    async fn subscribe_pubkey(
        &self,
        request: Request<proto::SubscribeRequest>,
    ) -> Answer<proto::Empty> {
        let request = request.into_inner();
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        // A name that is taken must not cost a subscription.
        if !request.alias.is_empty() {
            self.subscriptions.claim(&request.alias, pubkey).await.map_err(of_claim)?;
        }
        let expires_at = timestamp(request.expires_at);
        let subscribed =
            self.subscriptions.subscribe(pubkey, expires_at, &request.invoice_hash).await;
        subscribed.map_err(of_claim)?;
        empty()
    }

    async fn unsubscribe_pubkey(
        &self,
        request: Request<proto::PubkeyRequest>,
    ) -> Answer<proto::Empty> {
        let pubkey = pubkey("pubkey", &request.into_inner().pubkey).map_err(malformed)?;
        self.subscriptions.unsubscribe(pubkey).await.map_err(to_status)?;
        empty()
    }

    async fn is_subscribed(
        &self,
        request: Request<proto::PubkeyRequest>,
    ) -> Answer<proto::BoolResponse> {
        let pubkey = pubkey("pubkey", &request.into_inner().pubkey).map_err(malformed)?;
        let value = self.subscriptions.is_subscribed(pubkey, Timestamp::now()).await;
        Ok(Response::new(proto::BoolResponse { value: value.map_err(to_status)? }))
    }

    async fn get_subscription(
        &self,
        request: Request<proto::PubkeyRequest>,
    ) -> Answer<proto::SubscriptionResponse> {
        let pubkey = pubkey("pubkey", &request.into_inner().pubkey).map_err(malformed)?;
        let found = self.subscriptions.of(pubkey).await.map_err(to_status)?;
        let found = found.ok_or_else(|| Status::not_found("no subscription of this pubkey"))?;
        Ok(Response::new(proto::SubscriptionResponse {
            pubkey: pubkey.to_string(),
            alias: found.aliases.first().cloned().unwrap_or_default(),
            expires_at: seconds(found.expires_at),
            created_at: seconds(found.created_at),
            has_alias: !found.aliases.is_empty(),
            aliases: found.aliases,
        }))
    }

    async fn claim_alias(
        &self,
        request: Request<proto::ClaimAliasRequest>,
    ) -> Answer<proto::Empty> {
        let request = request.into_inner();
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        self.subscriptions.claim(&request.alias, pubkey).await.map_err(of_claim)?;
        empty()
    }

    async fn get_alias_by_pubkey(
        &self,
        request: Request<proto::PubkeyRequest>,
    ) -> Answer<proto::AliasResponse> {
        let pubkey = pubkey("pubkey", &request.into_inner().pubkey).map_err(malformed)?;
        let found = self.subscriptions.of(pubkey).await.map_err(to_status)?;
        let alias = found.and_then(|found| found.aliases.into_iter().next()).unwrap_or_default();
        Ok(Response::new(proto::AliasResponse { alias }))
    }

    async fn get_pubkey_by_alias(
        &self,
        request: Request<proto::AliasRequest>,
    ) -> Answer<proto::PubkeyResponse> {
        let holder = self.subscriptions.holder_of(&request.into_inner().alias).await;
        let pubkey = holder.map_err(to_status)?.map(|holder| holder.to_string());
        Ok(Response::new(proto::PubkeyResponse { pubkey: pubkey.unwrap_or_default() }))
    }

    async fn is_alias_taken(
        &self,
        request: Request<proto::AliasRequest>,
    ) -> Answer<proto::BoolResponse> {
        let holder = self.subscriptions.holder_of(&request.into_inner().alias).await;
        let value = holder.map_err(to_status)?.is_some();
        Ok(Response::new(proto::BoolResponse { value }))
    }
}
