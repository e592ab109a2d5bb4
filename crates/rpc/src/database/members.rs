//! Members of the relay (NIP-43).

use event::{Kind, Pubkey};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use super::subscriptions::{pubkey, seconds_now};
use crate::Malformed;
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;

const ADD: &str = "add NIP-43 member";
const REMOVE: &str = "remove NIP-43 member";
const IS: &str = "is NIP-43 member";
const GET: &str = "get NIP-43 membership";
const ALL: &str = "get all NIP-43 members";
const PUBLISH: &str = "publish NIP-43 membership event";
/// How long an invite code may be.
const CODE_BYTES: usize = 256;
/// Events the relay signs: a member came, a member went, the list of all.
const MEMBER_ADDED: i32 = 8000;
const MEMBER_REMOVED: i32 = 8001;
const MEMBER_LIST: i32 = 13_534;

impl Database {
    pub(super) async fn add_nip43_member(
        &self,
        request: proto::AddNip43MemberRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(ADD)?;
        if request.invite_code.len() > CODE_BYTES {
            let reason = format!("more than {CODE_BYTES} bytes");
            return Err(Malformed::new("invite_code", reason)).or_fail(ADD);
        }
        let membership = proto::Nip43Membership {
            pubkey: request.pubkey,
            added_at: seconds_now(),
            invite_code: request.invite_code,
        };
        self.records.members.put(&pubkey.to_string(), &membership).await.or_fail(ADD)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn remove_nip43_member(
        &self,
        request: proto::RemoveNip43MemberRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(REMOVE)?;
        self.records.members.remove(&pubkey.to_string()).await.or_fail(REMOVE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn is_nip43_member(
        &self,
        request: proto::IsNip43MemberRequest,
    ) -> Result<proto::IsNip43MemberResponse, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(IS)?;
        let found = self.records.members.get(&pubkey.to_string()).await.or_fail(IS)?;
        Ok(proto::IsNip43MemberResponse { is_member: found.is_some() })
    }

    pub(super) async fn get_nip43_membership(
        &self,
        request: proto::GetNip43MembershipRequest,
    ) -> Result<proto::Nip43Membership, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(GET)?;
        let found = self.records.members.get(&pubkey.to_string()).await.or_fail(GET)?;
        found.ok_or_else(|| failed(GET, Code::NotFound, format!("{pubkey} is no member")))
    }

    pub(super) async fn get_all_nip43_members(
        &self,
        _: proto::Empty,
    ) -> Result<proto::PubkeyList, Status> {
        let members = self.records.members.list("").await.or_fail(ALL)?;
        let pubkeys = members.into_iter().map(|(_, membership)| membership.pubkey).collect();
        Ok(proto::PubkeyList { pubkeys })
    }

    pub(super) async fn publish_nip43_membership_event(
        &self,
        request: proto::PublishNip43MembershipEventRequest,
    ) -> Result<proto::Empty, Status> {
        let tag = |name: &str, key: &Pubkey| vec![name.to_owned(), key.to_string()];
        // Only the relay may publish what it says of its members (NIP-70).
        let mut tags = vec![vec!["-".to_owned()]];
        match request.kind {
            MEMBER_ADDED | MEMBER_REMOVED => {
                tags.push(tag("p", &pubkey(&request.pubkey).or_fail(PUBLISH)?));
            }
            MEMBER_LIST => {
                for (_, membership) in self.records.members.list("").await.or_fail(PUBLISH)? {
                    let key = fixed("pubkey", &membership.pubkey).or_fail(PUBLISH)?;
                    tags.push(tag("member", &Pubkey::new(key)));
                }
            }
            other => {
                let reason =
                    format!("{other} is not {MEMBER_ADDED}, {MEMBER_REMOVED} or {MEMBER_LIST}");
                return Err(Malformed::new("kind", reason)).or_fail(PUBLISH);
            }
        }
        let kind = Kind::new(u16::try_from(request.kind).unwrap_or_default());
        self.publish(PUBLISH, kind, tags).await?;
        Ok(proto::Empty {})
    }
}
