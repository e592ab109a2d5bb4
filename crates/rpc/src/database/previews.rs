//! What a save would come to, and how a refusal reads.

use event::{EventRef, KindClass};
use store::{Preview, SaveOutcome};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed, required};
use super::saving::checked_event;
use crate::proto::orlydb::v1 as proto;

const WOULD_REPLACE: &str = "would replace event";
const CHECK: &str = "check for deleted";

impl Database {
    pub(super) async fn would_replace_event(
        &self,
        request: proto::WouldReplaceEventRequest,
    ) -> Result<proto::WouldReplaceEventResponse, Status> {
        let event = required("event", request.event).or_fail(WOULD_REPLACE)?;
        let event = checked_event(WOULD_REPLACE, event)?;
        let replaced = match self.serials.preview(&event).await.or_fail(WOULD_REPLACE)? {
            Preview::Replaces(serial) => vec![serial.as_u64()],
            Preview::Refused(outcome @ SaveOutcome::Superseded) => {
                return Err(refusal(WOULD_REPLACE, event.as_ref(), outcome));
            }
            Preview::Stored | Preview::Refused(_) => Vec::new(),
        };
        Ok(proto::WouldReplaceEventResponse {
            would_replace: !replaced.is_empty(),
            replaced_serials: replaced,
        })
    }

    pub(super) async fn check_for_deleted(
        &self,
        request: proto::CheckForDeletedRequest,
    ) -> Result<proto::Empty, Status> {
        let event = required("event", request.event).or_fail(CHECK)?;
        let event = checked_event(CHECK, event)?;
        let preview = self.serials.preview(&event).await.or_fail(CHECK)?;
        if let Preview::Refused(outcome @ (SaveOutcome::Deleted | SaveOutcome::Vanished)) = preview
        {
            return Err(refusal(CHECK, event.as_ref(), outcome));
        }
        if self.is_deleted_by(&request.admins, event.as_ref()).await? {
            return Err(refusal(CHECK, event.as_ref(), SaveOutcome::Deleted));
        }
        Ok(proto::Empty {})
    }
}

/// Why an event is not stored.
pub(super) fn refusal(operation: &str, event: EventRef<'_>, outcome: SaveOutcome) -> Status {
    let is_addressable = event.kind().class() == KindClass::Addressable;
    let older = if is_addressable { "addressable" } else { "replaceable" };
    let (code, text) = match outcome {
        SaveOutcome::Stored(_) => (Code::AlreadyExists, "event is stored".to_owned()),
        SaveOutcome::Duplicate => {
            (Code::AlreadyExists, format!("event already exists: {}", event.id()))
        }
        SaveOutcome::Superseded => {
            (Code::FailedPrecondition, format!("event is older than existing {older} event"))
        }
        SaveOutcome::Deleted => {
            (Code::FailedPrecondition, format!("event {} was deleted", event.id()))
        }
        SaveOutcome::Vanished => {
            (Code::FailedPrecondition, format!("{} asked to be forgotten", event.pubkey()))
        }
        SaveOutcome::Expired => (Code::FailedPrecondition, "event is expired".into()),
        SaveOutcome::Ephemeral => {
            (Code::InvalidArgument, "ephemeral events should not be stored".into())
        }
        SaveOutcome::Refused(rule) => (Code::FailedPrecondition, rule.to_owned()),
    };
    failed(operation, code, format_args!("blocked: {text}"))
}
