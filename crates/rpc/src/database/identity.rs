//! The relay's own key, and the events it signs with it.

use event::{Draft, Keys, Kind, Timestamp};
use prost::bytes::Bytes;
use store::{IDENTITY_MARKER, SaveOutcome, StoreError};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use super::previews::refusal;
use crate::Malformed;
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;

const GET: &str = "get relay identity secret";
const SET: &str = "set relay identity secret";
/// How many seconds into the future an event may be dated to stand behind an earlier one.
const MOST_AHEAD: u64 = 60;
const GET_OR_CREATE: &str = "get or create relay identity secret";

impl Database {
    pub(super) async fn get_relay_identity_secret(
        &self,
        _: proto::Empty,
    ) -> Result<proto::GetRelayIdentitySecretResponse, Status> {
        let secret = self.markers.marker(IDENTITY_MARKER).await.or_fail(GET)?;
        let absent = || failed(GET, Code::NotFound, "the relay has no identity yet");
        Ok(proto::GetRelayIdentitySecretResponse { secret_key: secret.ok_or_else(absent)?.into() })
    }

    pub(super) async fn set_relay_identity_secret(
        &self,
        request: proto::SetRelayIdentitySecretRequest,
    ) -> Result<proto::Empty, Status> {
        let secret = fixed("secret_key", &request.secret_key).or_fail(SET)?;
        let keys = Keys::from_secret(secret)
            .map_err(|_| Malformed::new("secret_key", "no secret key of the curve"))
            .or_fail(SET)?;
        let _editing = self.editing.lock().await;
        let secret = keys.to_secret().to_vec();
        self.markers.set_marker(IDENTITY_MARKER, Some(secret)).await.or_fail(SET)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_or_create_relay_identity_secret(
        &self,
        _: proto::Empty,
    ) -> Result<proto::GetRelayIdentitySecretResponse, Status> {
        let keys = self.identity().await.or_fail(GET_OR_CREATE)?;
        let secret_key = Bytes::copy_from_slice(&keys.to_secret());
        Ok(proto::GetRelayIdentitySecretResponse { secret_key })
    }

    /// Signs an event as the relay and saves it.
    pub(super) async fn publish(
        &self,
        operation: &str,
        kind: Kind,
        tags: Vec<Vec<String>>,
    ) -> Result<(), Status> {
        let keys = self.identity().await.or_fail(operation)?;
        let created_at = Timestamp::now();
        let mut draft = Draft { created_at, kind, tags, content: String::new() };
        loop {
            let event = keys.sign(&draft);
            let outcomes = self.store.save(vec![event.clone()]).await.or_fail(operation)?;
            match outcomes.first() {
                // The same said twice in one second is said.
                Some(SaveOutcome::Stored(_) | SaveOutcome::Duplicate) | None => return Ok(()),
                // Another list was made in this second: this one is of the next.
                Some(SaveOutcome::Superseded)
                    if draft.created_at.as_secs() < created_at.as_secs() + MOST_AHEAD =>
                {
                    draft.created_at = Timestamp::from_secs(draft.created_at.as_secs() + 1);
                }
                Some(outcome) => return Err(refusal(operation, event.as_ref(), *outcome)),
            }
        }
    }

    async fn identity(&self) -> Result<Keys, StoreError> {
        let _editing = self.editing.lock().await;
        store::identity(&*self.markers, rand::random()).await
    }
}
