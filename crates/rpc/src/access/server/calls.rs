//! The table of all calls. Each is a method of [`AclServer`] of the same name, which takes the message and
//! returns the message; what gRPC wraps around them is here.

use acl::AccessControl;
use tonic::{Request, Response, Status};

use super::AclServer;
use crate::access::revision;
use crate::proto::orlyacl::v1::acl_service_server::AclService;
use crate::proto::orlyacl::v1::{self as proto, Empty};

macro_rules! calls {
    ($($call:ident($request:ty) -> $response:ty,)*) => {
        #[tonic::async_trait]
        impl AclService for AclServer {
            $(
                async fn $call(
                    &self,
                    request: Request<$request>,
                ) -> Result<Response<$response>, Status> {
                    AclServer::$call(self, request.into_inner()).await.map(Response::new)
                }
            )*

            async fn ready(
                &self,
                _: Request<Empty>,
            ) -> Result<Response<proto::ReadyResponse>, Status> {
                let ready = self.readiness.is_ready() && self.acl.is_ready();
                let mut response = Response::new(proto::ReadyResponse { ready });
                let changes = *self.acl.changes().borrow();
                revision::put(response.metadata_mut(), self.instance, changes);
                Ok(response)
            }
        }
    };
}

calls! {
    get_access_level(proto::AccessLevelRequest) -> proto::AccessLevelResponse,
    check_policy(proto::PolicyCheckRequest) -> proto::PolicyCheckResponse,
    get_acl_info(Empty) -> proto::AclInfoResponse,
    get_mode(Empty) -> proto::ModeResponse,
    get_throttle_delay(proto::ThrottleDelayRequest) -> proto::ThrottleDelayResponse,
    add_follow(proto::AddFollowRequest) -> Empty,
    get_followed_pubkeys(Empty) -> proto::FollowedPubkeysResponse,
    get_admin_relays(Empty) -> proto::AdminRelaysResponse,
    ban_pubkey(proto::BanPubkeyRequest) -> Empty,
    unban_pubkey(proto::PubkeyRequest) -> Empty,
    list_banned_pubkeys(Empty) -> proto::ListBannedPubkeysResponse,
    allow_pubkey(proto::AllowPubkeyRequest) -> Empty,
    disallow_pubkey(proto::PubkeyRequest) -> Empty,
    list_allowed_pubkeys(Empty) -> proto::ListAllowedPubkeysResponse,
    ban_event(proto::BanEventRequest) -> Empty,
    unban_event(proto::EventRequest) -> Empty,
    list_banned_events(Empty) -> proto::ListBannedEventsResponse,
    allow_event(proto::BanEventRequest) -> Empty,
    disallow_event(proto::EventRequest) -> Empty,
    list_allowed_events(Empty) -> proto::ListAllowedEventsResponse,
    block_ip(proto::BlockIpRequest) -> Empty,
    unblock_ip(proto::IpRequest) -> Empty,
    list_blocked_i_ps(Empty) -> proto::ListBlockedIPsResponse,
    allow_kind(proto::AllowKindRequest) -> Empty,
    disallow_kind(proto::KindRequest) -> Empty,
    list_allowed_kinds(Empty) -> proto::ListAllowedKindsResponse,
    update_peer_admins(proto::UpdatePeerAdminsRequest) -> Empty,
    trust_pubkey(proto::TrustPubkeyRequest) -> Empty,
    untrust_pubkey(proto::PubkeyRequest) -> Empty,
    list_trusted_pubkeys(Empty) -> proto::ListTrustedPubkeysResponse,
    blacklist_pubkey(proto::BlacklistPubkeyRequest) -> Empty,
    unblacklist_pubkey(proto::PubkeyRequest) -> Empty,
    list_blacklisted_pubkeys(Empty) -> proto::ListBlacklistedPubkeysResponse,
    mark_spam(proto::MarkSpamRequest) -> Empty,
    unmark_spam(proto::EventRequest) -> Empty,
    list_spam_events(Empty) -> proto::ListSpamEventsResponse,
    rate_limit_check(proto::RateLimitCheckRequest) -> proto::RateLimitCheckResponse,
    process_config_event(proto::ConfigEventRequest) -> Empty,
    get_curating_config(Empty) -> proto::CuratingConfig,
    is_curating_configured(Empty) -> proto::BoolResponse,
    list_unclassified_users(proto::PaginationRequest) -> proto::ListUnclassifiedUsersResponse,
    get_events_for_pubkey(proto::GetEventsForPubkeyRequest) -> proto::EventsForPubkeyResponse,
    delete_events_for_pubkey(proto::DeleteEventsForPubkeyRequest) -> proto::DeleteCountResponse,
    scan_all_pubkeys(Empty) -> proto::ScanResultResponse,
    subscribe_pubkey(proto::SubscribeRequest) -> Empty,
    unsubscribe_pubkey(proto::PubkeyRequest) -> Empty,
    is_subscribed(proto::PubkeyRequest) -> proto::BoolResponse,
    get_subscription(proto::PubkeyRequest) -> proto::SubscriptionResponse,
    claim_alias(proto::ClaimAliasRequest) -> Empty,
    get_alias_by_pubkey(proto::PubkeyRequest) -> proto::AliasResponse,
    get_pubkey_by_alias(proto::AliasRequest) -> proto::PubkeyResponse,
    is_alias_taken(proto::AliasRequest) -> proto::BoolResponse,
}
