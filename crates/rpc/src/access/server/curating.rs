//! Mode curating: its configuration, what it counts, and the events of authors.

use acl::{Management, Verdict};
use event::Timestamp;
use tonic::Status;

use super::{AclServer, event, place};
use crate::access::entries::{int, pubkey, seconds, size};
use crate::access::failure::{malformed, to_status};
use crate::proto::orlyacl::v1 as proto;

impl AclServer {
    pub(super) async fn rate_limit_check(
        &self,
        request: proto::RateLimitCheckRequest,
    ) -> Result<proto::RateLimitCheckResponse, Status> {
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
        Ok(proto::RateLimitCheckResponse { allowed, message })
    }

    pub(super) async fn process_config_event(
        &self,
        request: proto::ConfigEventRequest,
    ) -> Result<proto::Empty, Status> {
        self.curating()?;
        let event = event(request.event)?;
        self.acl.configure(event).await.map_err(to_status)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_curating_config(
        &self,
        _: proto::Empty,
    ) -> Result<proto::CuratingConfig, Status> {
        let config = self.curating()?.config();
        Ok(config.map(Into::into).unwrap_or_default())
    }

    pub(super) async fn is_curating_configured(
        &self,
        _: proto::Empty,
    ) -> Result<proto::BoolResponse, Status> {
        let value = self.curating()?.config().is_some();
        Ok(proto::BoolResponse { value })
    }

    pub(super) async fn list_unclassified_users(
        &self,
        request: proto::PaginationRequest,
    ) -> Result<proto::ListUnclassifiedUsersResponse, Status> {
        let (limit, offset) = (size(request.limit), size(request.offset));
        let found = self.acl.unclassified(limit, offset).await.map_err(to_status)?;
        let users = found.users.iter().map(Into::into).collect();
        let total = int(found.total);
        Ok(proto::ListUnclassifiedUsersResponse { users, total })
    }

    pub(super) async fn get_events_for_pubkey(
        &self,
        request: proto::GetEventsForPubkeyRequest,
    ) -> Result<proto::EventsForPubkeyResponse, Status> {
        self.curating()?;
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
        Ok(proto::EventsForPubkeyResponse { events, total })
    }

    pub(super) async fn delete_events_for_pubkey(
        &self,
        request: proto::DeleteEventsForPubkeyRequest,
    ) -> Result<proto::DeleteCountResponse, Status> {
        self.curating()?;
        let author = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        let count = acl::delete_events_of(&*self.store, author).await.map_err(to_status)?;
        Ok(proto::DeleteCountResponse { count: int(count) })
    }

    pub(super) async fn scan_all_pubkeys(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ScanResultResponse, Status> {
        let census = self.acl.scan().await.map_err(to_status)?;
        let (total_pubkeys, total_events) = (int(census.pubkeys), int(census.events));
        Ok(proto::ScanResultResponse { total_pubkeys, total_events })
    }
}
