//! The lists that an operator keeps: to put on, to take off, to read.

use acl::{Entry, List, Management, Subject, SubjectKind};
use event::{Pubkey, Timestamp};
use tonic::Status;

use super::AclServer;
use crate::access::entries::{kind, pubkey, subject};
use crate::access::failure::{malformed, to_status};
use crate::convert::Malformed;
use crate::proto::orlyacl::v1 as proto;

impl AclServer {
    pub(super) async fn ban_pubkey(
        &self,
        request: proto::BanPubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.put(List::BannedPubkeys, key(&request.pubkey), request.reason, None).await
    }

    pub(super) async fn unban_pubkey(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::BannedPubkeys, key(&request.pubkey)).await
    }

    pub(super) async fn list_banned_pubkeys(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListBannedPubkeysResponse, Status> {
        let pubkeys = self.entries(List::BannedPubkeys).await?;
        Ok(proto::ListBannedPubkeysResponse { pubkeys })
    }

    pub(super) async fn allow_pubkey(
        &self,
        request: proto::AllowPubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.put(List::AllowedPubkeys, key(&request.pubkey), request.reason, None).await
    }

    pub(super) async fn disallow_pubkey(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::AllowedPubkeys, key(&request.pubkey)).await
    }

    pub(super) async fn list_allowed_pubkeys(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListAllowedPubkeysResponse, Status> {
        let pubkeys = self.entries(List::AllowedPubkeys).await?;
        Ok(proto::ListAllowedPubkeysResponse { pubkeys })
    }

    pub(super) async fn ban_event(
        &self,
        request: proto::BanEventRequest,
    ) -> Result<proto::Empty, Status> {
        self.put(List::BannedEvents, id(&request.event_id), request.reason, None).await
    }

    pub(super) async fn unban_event(
        &self,
        request: proto::EventRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::BannedEvents, id(&request.event_id)).await
    }

    pub(super) async fn list_banned_events(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListBannedEventsResponse, Status> {
        let events = self.entries(List::BannedEvents).await?;
        Ok(proto::ListBannedEventsResponse { events })
    }

    pub(super) async fn allow_event(
        &self,
        request: proto::BanEventRequest,
    ) -> Result<proto::Empty, Status> {
        self.put(List::AllowedEvents, id(&request.event_id), request.reason, None).await
    }

    pub(super) async fn disallow_event(
        &self,
        request: proto::EventRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::AllowedEvents, id(&request.event_id)).await
    }

    pub(super) async fn list_allowed_events(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListAllowedEventsResponse, Status> {
        let events = self.entries(List::AllowedEvents).await?;
        Ok(proto::ListAllowedEventsResponse { events })
    }

    pub(super) async fn block_ip(
        &self,
        request: proto::BlockIpRequest,
    ) -> Result<proto::Empty, Status> {
        let ip = subject(SubjectKind::Ip, "ip", &request.ip);
        self.put(List::BlockedIps, ip, request.reason, None).await
    }

    pub(super) async fn unblock_ip(
        &self,
        request: proto::IpRequest,
    ) -> Result<proto::Empty, Status> {
        let ip = subject(SubjectKind::Ip, "ip", &request.ip);
        self.remove(List::BlockedIps, ip).await
    }

    pub(super) async fn list_blocked_i_ps(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListBlockedIPsResponse, Status> {
        let ips = self.entries(List::BlockedIps).await?;
        Ok(proto::ListBlockedIPsResponse { ips })
    }

    pub(super) async fn allow_kind(
        &self,
        request: proto::AllowKindRequest,
    ) -> Result<proto::Empty, Status> {
        let kind = kind(request.kind).map(Subject::Kind);
        self.put(List::AllowedKinds, kind, String::new(), None).await
    }

    pub(super) async fn disallow_kind(
        &self,
        request: proto::KindRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::AllowedKinds, kind(request.kind).map(Subject::Kind)).await
    }

    pub(super) async fn list_allowed_kinds(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListAllowedKindsResponse, Status> {
        let entries = self.acl.entries(List::AllowedKinds).await.map_err(to_status)?;
        let kind = |entry: &Entry| match entry.subject {
            Subject::Kind(kind) => Some(kind.as_u16().into()),
            Subject::Pubkey(_) | Subject::Event(_) | Subject::Ip(_) => None,
        };
        let kinds = entries.iter().filter_map(kind).collect();
        Ok(proto::ListAllowedKindsResponse { kinds })
    }

    pub(super) async fn trust_pubkey(
        &self,
        request: proto::TrustPubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.put(List::TrustedPubkeys, key(&request.pubkey), request.note, None).await
    }

    pub(super) async fn untrust_pubkey(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::TrustedPubkeys, key(&request.pubkey)).await
    }

    pub(super) async fn list_trusted_pubkeys(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListTrustedPubkeysResponse, Status> {
        let pubkeys = self.entries(List::TrustedPubkeys).await?;
        Ok(proto::ListTrustedPubkeysResponse { pubkeys })
    }

    pub(super) async fn blacklist_pubkey(
        &self,
        request: proto::BlacklistPubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.put(List::BlacklistedPubkeys, key(&request.pubkey), request.reason, None).await
    }

    pub(super) async fn unblacklist_pubkey(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::BlacklistedPubkeys, key(&request.pubkey)).await
    }

    pub(super) async fn list_blacklisted_pubkeys(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListBlacklistedPubkeysResponse, Status> {
        let pubkeys = self.entries(List::BlacklistedPubkeys).await?;
        Ok(proto::ListBlacklistedPubkeysResponse { pubkeys })
    }

    pub(super) async fn mark_spam(
        &self,
        request: proto::MarkSpamRequest,
    ) -> Result<proto::Empty, Status> {
        let author = match request.pubkey.as_str() {
            "" => None,
            text => Some(pubkey("pubkey", text).map_err(malformed)?),
        };
        self.put(List::SpamEvents, id(&request.event_id), request.reason, author).await
    }

    pub(super) async fn unmark_spam(
        &self,
        request: proto::EventRequest,
    ) -> Result<proto::Empty, Status> {
        self.remove(List::SpamEvents, id(&request.event_id)).await
    }

    pub(super) async fn list_spam_events(
        &self,
        _: proto::Empty,
    ) -> Result<proto::ListSpamEventsResponse, Status> {
        let events = self.entries(List::SpamEvents).await?;
        Ok(proto::ListSpamEventsResponse { events })
    }

    async fn put(
        &self,
        list: List,
        subject: Result<Subject, Malformed>,
        reason: String,
        author: Option<Pubkey>,
    ) -> Result<proto::Empty, Status> {
        let subject = subject.map_err(malformed)?;
        let entry = Entry { subject, reason, added: Timestamp::now(), author };
        self.acl.put(list, entry).await.map_err(to_status)?;
        Ok(proto::Empty {})
    }

    async fn remove(
        &self,
        list: List,
        subject: Result<Subject, Malformed>,
    ) -> Result<proto::Empty, Status> {
        self.acl.remove(list, subject.map_err(malformed)?).await.map_err(to_status)?;
        Ok(proto::Empty {})
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
