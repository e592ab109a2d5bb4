//! What the database service answers: its failures are told apart from those of the way.

use std::error::Error;

use event::Prefix;
use store::{SaveOutcome, StoreError};
use tonic::{Code, Response, Status};

use crate::store::convert::RULE;
use crate::store::failure::to_status;

/// An answer, or a failure in our words.
pub(super) trait Answered<T> {
    /// The answer without what is around it.
    fn answered(self) -> Result<T, Status>;
}

impl<T> Answered<T> for Result<Response<T>, Status> {
    fn answered(self) -> Result<T, Status> {
        self.map(Response::into_inner).map_err(|status| in_our_words(&status).unwrap_or(status))
    }
}

/// A failure of the service, with the details that ours have; `None` if it is one of the way.
///
/// The service says `Internal` of everything.
pub(super) fn in_our_words(status: &Status) -> Option<Status> {
    let text = || status.message().to_owned();
    if status.source().is_some() {
        return None;
    }
    match status.code() {
        Code::Unavailable | Code::Cancelled | Code::DeadlineExceeded | Code::Unimplemented => None,
        Code::InvalidArgument => Some(to_status(StoreError::Invalid(text()))),
        Code::NotFound => Some(Status::clone(status)),
        _ => Some(to_status(StoreError::internal(text()))),
    }
}

/// An answer, or `None` if the service finds no such thing.
pub(super) fn not_found<T>(answer: Result<T, Status>) -> Result<Option<T>, Status> {
    match answer {
        Err(status) if is_not_found(&status) => Ok(None),
        answer => answer.map(Some),
    }
}

fn is_not_found(status: &Status) -> bool {
    let text = status.message().to_ascii_lowercase();
    status.code() == Code::NotFound
        || status.code() == Code::Internal
            && (text.contains("not found") || text.contains("no such"))
}

/// What a failure to save means for the event; `None` if it says nothing about it.
pub(super) fn refusal(status: &Status) -> Option<SaveOutcome> {
    let reason = from_prefix(status.message())?;
    let says = |words: &str| reason.contains(words);
    Some(if says("already exists") || reason.starts_with("duplicate:") {
        SaveOutcome::Duplicate
    } else if says("older than existing") {
        SaveOutcome::Superseded
    } else if says("ephemeral events") {
        SaveOutcome::Ephemeral
    } else if says("vanish") || says("forget") || says("forgotten") {
        SaveOutcome::Vanished
    } else if says("deleted") || says("deletion") {
        SaveOutcome::Deleted
    } else if says("expired") {
        SaveOutcome::Expired
    } else if says("at least one p tag") {
        SaveOutcome::Refused("a follow list must name somebody in a p tag")
    } else if says("UTF-8") {
        SaveOutcome::Refused("its content is not valid UTF-8")
    } else if says("d tag") {
        SaveOutcome::Refused("it has no d tag")
    } else {
        SaveOutcome::Refused(RULE)
    })
}

/// The reason from its prefix (NIP-01) on; the service puts words of its own in front.
fn from_prefix(text: &str) -> Option<&str> {
    let starts = Prefix::ALL.iter().filter_map(|prefix| {
        let prefix = format!("{}:", prefix.as_str());
        text.match_indices(&prefix)
            .map(|(at, _)| at)
            .find(|&at| at == 0 || text[..at].ends_with(' '))
    });
    starts.min().map(|at| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_what_stands_behind_the_words_of_the_service() {
        let cases = [
            (
                "save event failed: blocked: event already exists: 00ff",
                Some(SaveOutcome::Duplicate),
            ),
            (
                "save event failed: blocked: event is older than existing replaceable event",
                Some(SaveOutcome::Superseded),
            ),
            (
                "save event failed: blocked: ephemeral events should not be stored",
                Some(SaveOutcome::Ephemeral),
            ),
            (
                "save event failed: blocked: kind 3 follow list events must have at least one p tag",
                Some(SaveOutcome::Refused("a follow list must name somebody in a p tag")),
            ),
            ("save event failed: invalid: x", Some(SaveOutcome::Refused(RULE))),
            ("save event failed: disk is full", None),
            ("save event failed: unblocked: x", None),
        ];
        for (text, outcome) in cases {
            assert_eq!(refusal(&Status::internal(text)), outcome, "{text}");
        }
    }

    #[test]
    fn failures_of_the_way_stay_what_they_are() {
        assert!(in_our_words(&Status::unavailable("tcp connect error")).is_none());
        let ours = in_our_words(&Status::internal("query events failed: x")).unwrap();
        assert!(crate::store::failure::from_status(&ours).is_some());
    }
}
