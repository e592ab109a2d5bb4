//! Saving an event.

use std::sync::PoisonError;

use event::{Event, EventRef, Kind, has_valid_id};
use store::{Preview, SaveOutcome};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed, required};
use super::previews::refusal;
use crate::proto::orlydb::v1 as proto;

const SAVE: &str = "save event";
/// Contact lists (NIP-02).
const FOLLOWS: Kind = Kind::new(3);

impl Database {
    pub(super) async fn save_event(
        &self,
        request: proto::SaveEventRequest,
    ) -> Result<proto::SaveEventResponse, Status> {
        let event = required("event", request.event).or_fail(SAVE)?;
        let event = self.signed_event(SAVE, event)?;
        if is_empty_follow_list(event.as_ref()) {
            let text = "blocked: kind 3 follow list events must have at least one p tag";
            return Err(failed(SAVE, Code::InvalidArgument, text));
        }
        // Another save may come between; then `exists` tells of the moment before.
        let preview = self.serials.preview(&event).await.or_fail(SAVE)?;
        let outcomes = self.store.save(vec![event.clone()]).await.or_fail(SAVE)?;
        match outcomes.first() {
            Some(SaveOutcome::Stored(_)) => {
                Ok(proto::SaveEventResponse { exists: matches!(preview, Preview::Replaces(_)) })
            }
            Some(outcome) => Err(refusal(SAVE, event.as_ref(), *outcome)),
            None => Err(failed(SAVE, Code::Internal, "error: internal")),
        }
    }
}

impl Database {
    /// An event off the wire that its author signed. Relays serve what is stored without another look, and
    /// whoever reaches the port could else put words into anybody's mouth.
    pub(super) fn signed_event(
        &self,
        operation: &str,
        event: proto::Event,
    ) -> Result<Event, Status> {
        let event = checked_event(operation, event)?;
        let verified =
            self.verifier.lock().unwrap_or_else(PoisonError::into_inner).verify(event.as_ref());
        verified.map_err(|forged| {
            failed(operation, Code::InvalidArgument, format!("invalid: {forged}"))
        })?;
        Ok(event)
    }
}

/// An event off the wire whose id is its own.
pub(super) fn checked_event(operation: &str, event: proto::Event) -> Result<Event, Status> {
    if std::str::from_utf8(&event.content).is_err() {
        let text = "blocked: event content is not valid UTF-8";
        return Err(failed(operation, Code::InvalidArgument, text));
    }
    let event = Event::try_from(event).or_fail(operation)?;
    if !has_valid_id(event.as_ref()) {
        let text = "invalid: id is not the hash of the event";
        return Err(failed(operation, Code::InvalidArgument, text));
    }
    Ok(event)
}

fn is_empty_follow_list(event: EventRef<'_>) -> bool {
    event.kind() == FOLLOWS && event.tags().values_of("p").next().is_none()
}
