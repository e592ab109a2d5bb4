//! Who may do what: levels, events, waiting; whom owners and admins follow.

use std::net::{IpAddr, Ipv4Addr};

use acl::{AccessControl, Management};
use event::Timestamp;
use tonic::Status;

use super::{AclServer, event, place};
use crate::access::entries::{proven_pubkey, raw_pubkey};
use crate::access::failure::{malformed, to_status};
use crate::proto::orlyacl::v1 as proto;

impl AclServer {
    pub(super) async fn get_access_level(
        &self,
        request: proto::AccessLevelRequest,
    ) -> Result<proto::AccessLevelResponse, Status> {
        let pubkey = proven_pubkey(&request.pubkey).map_err(malformed)?;
        let level = self.acl.level(pubkey, address(&request.address)).await;
        let level = level.map_err(|rejection| Status::unavailable(rejection.to_string()))?;
        Ok(proto::AccessLevelResponse { level: level.as_str().into() })
    }

    pub(super) async fn check_policy(
        &self,
        request: proto::PolicyCheckRequest,
    ) -> Result<proto::PolicyCheckResponse, Status> {
        let event = event(request.event)?;
        let result = match self.acl.curating() {
            Some(curating) => curating.check_policy(event.as_ref(), Timestamp::now()),
            None => self.acl.check(event.as_ref(), address("")).await,
        };
        let error = result.err().map(|rejection| rejection.to_string()).unwrap_or_default();
        let allowed = error.is_empty();
        Ok(proto::PolicyCheckResponse { allowed, error })
    }

    pub(super) async fn get_acl_info(
        &self,
        _: proto::Empty,
    ) -> Result<proto::AclInfoResponse, Status> {
        let mode = self.acl.mode();
        Ok(proto::AclInfoResponse {
            name: mode.as_str().into(),
            description: mode.description().into(),
            documentation: mode.documentation().into(),
        })
    }

    pub(super) async fn get_mode(&self, _: proto::Empty) -> Result<proto::ModeResponse, Status> {
        Ok(proto::ModeResponse { mode: self.acl.mode().as_str().into() })
    }

    pub(super) async fn get_throttle_delay(
        &self,
        request: proto::ThrottleDelayRequest,
    ) -> Result<proto::ThrottleDelayResponse, Status> {
        let pubkey = proven_pubkey(&request.pubkey).map_err(malformed)?;
        let delay = self.acl.throttle(pubkey, address(&request.ip)).await.unwrap_or_default();
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        Ok(proto::ThrottleDelayResponse { delay_ms })
    }

    pub(super) async fn add_follow(
        &self,
        request: proto::AddFollowRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = raw_pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        self.follows()?.follow(pubkey);
        Ok(proto::Empty {})
    }

    pub(super) async fn get_followed_pubkeys(
        &self,
        _: proto::Empty,
    ) -> Result<proto::FollowedPubkeysResponse, Status> {
        let followed = self.follows()?.followed();
        let pubkeys = followed.iter().map(|pubkey| pubkey.as_bytes().to_vec().into()).collect();
        Ok(proto::FollowedPubkeysResponse { pubkeys })
    }

    pub(super) async fn get_admin_relays(
        &self,
        _: proto::Empty,
    ) -> Result<proto::AdminRelaysResponse, Status> {
        let urls = self.follows()?.relays().iter().map(ToString::to_string).collect();
        Ok(proto::AdminRelaysResponse { urls })
    }

    pub(super) async fn update_peer_admins(
        &self,
        request: proto::UpdatePeerAdminsRequest,
    ) -> Result<proto::Empty, Status> {
        let peers = request.peer_pubkeys.iter().map(|bytes| raw_pubkey("peer_pubkeys", bytes));
        let peers = peers.collect::<Result<_, _>>().map_err(malformed)?;
        self.acl.set_peers(peers).await.map_err(to_status)?;
        Ok(proto::Empty {})
    }
}

/// An address; what is none is nobody's.
fn address(text: &str) -> IpAddr {
    place(text).unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
}
