//! Codes that let somebody become a member (NIP-43).

use tonic::Status;

use super::Database;
use super::failure::OrFail;
use super::records::checked_name;
use super::subscriptions::seconds_now;
use crate::proto::orlydb::v1 as proto;

const STORE: &str = "store invite code";
const VALIDATE: &str = "validate invite code";
const DELETE: &str = "delete invite code";

impl Database {
    pub(super) async fn store_invite_code(
        &self,
        request: proto::StoreInviteCodeRequest,
    ) -> Result<proto::Empty, Status> {
        let code = checked_name("code", &request.code).or_fail(STORE)?;
        self.records.invites.put(code, &request).await.or_fail(STORE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn validate_invite_code(
        &self,
        request: proto::ValidateInviteCodeRequest,
    ) -> Result<proto::ValidateInviteCodeResponse, Status> {
        let code = checked_name("code", &request.code).or_fail(VALIDATE)?;
        let found = self.records.invites.get(code).await.or_fail(VALIDATE)?;
        let valid = found.is_some_and(|invite| seconds_now() < invite.expires_at);
        Ok(proto::ValidateInviteCodeResponse { valid })
    }

    pub(super) async fn delete_invite_code(
        &self,
        request: proto::DeleteInviteCodeRequest,
    ) -> Result<proto::Empty, Status> {
        let code = checked_name("code", &request.code).or_fail(DELETE)?;
        self.records.invites.remove(code).await.or_fail(DELETE)?;
        Ok(proto::Empty {})
    }
}
