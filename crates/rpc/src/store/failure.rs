//! Failures of a store on the wire: no variant is lost, and what failed on the way is told apart.

use std::error::Error;

use prost::Message;
use store::{ReconcileError, StoreError};
use tonic::{Code, Status};

use crate::proto::orlystore::v1 as proto;
use crate::proto::orlystore::v1::FailureReason;

/// A failure as the service tells it.
pub(super) fn to_status(error: impl Into<ReconcileError>) -> Status {
    status_of(&to_failure(error))
}

/// The same within an answer.
pub(super) fn to_failure(error: impl Into<ReconcileError>) -> proto::Failure {
    let error = error.into();
    let reason = match &error {
        ReconcileError::TooLarge { .. } => FailureReason::SetTooLarge,
        ReconcileError::Protocol(_) => FailureReason::Protocol,
        ReconcileError::Store(StoreError::ReadOnly(_)) => FailureReason::ReadOnly,
        ReconcileError::Store(StoreError::Unavailable(_)) => FailureReason::Unavailable,
        ReconcileError::Store(StoreError::Invalid(_)) => FailureReason::Invalid,
        ReconcileError::Store(StoreError::Internal(_)) => FailureReason::Internal,
    };
    let max_records = if let ReconcileError::TooLarge { max } = error { max } else { 0 };
    let text = match error {
        ReconcileError::Store(StoreError::Internal(source)) => chain(&*source),
        ReconcileError::Store(
            StoreError::ReadOnly(text) | StoreError::Unavailable(text) | StoreError::Invalid(text),
        )
        | ReconcileError::Protocol(text) => text,
        ReconcileError::TooLarge { .. } => error.to_string(),
    };
    proto::Failure { reason: reason.into(), text, max_records }
}

/// The cursor of a query is not known, or no longer.
pub(super) fn unknown_cursor() -> proto::Failure {
    let reason = FailureReason::UnknownCursor.into();
    proto::Failure { reason, text: "unknown cursor".into(), max_records: 0 }
}

/// The status of a call that fails so.
pub(super) fn status_of(failure: &proto::Failure) -> Status {
    let code = match failure.reason() {
        FailureReason::SetTooLarge => Code::ResourceExhausted,
        FailureReason::Protocol | FailureReason::Invalid => Code::InvalidArgument,
        FailureReason::ReadOnly => Code::FailedPrecondition,
        FailureReason::Unavailable => Code::Unavailable,
        FailureReason::UnknownCursor => Code::NotFound,
        FailureReason::Internal | FailureReason::Unspecified => Code::Internal,
    };
    Status::with_details(code, failure.text.clone(), failure.encode_to_vec().into())
}

/// What the service says; `None` if the call failed on its way.
pub(super) fn from_status(status: &Status) -> Option<ReconcileError> {
    let proto::Failure { text, max_records, .. } = details(status)?;
    Some(match reason(status) {
        FailureReason::SetTooLarge => ReconcileError::TooLarge { max: max_records },
        FailureReason::Protocol => ReconcileError::Protocol(text),
        FailureReason::ReadOnly => StoreError::ReadOnly(text).into(),
        FailureReason::Unavailable => StoreError::Unavailable(text).into(),
        FailureReason::Invalid => StoreError::Invalid(text).into(),
        FailureReason::Internal | FailureReason::UnknownCursor | FailureReason::Unspecified => {
            StoreError::internal(text).into()
        }
    })
}

/// Whether the service does not know the cursor of a query.
pub(super) fn is_unknown_cursor(status: &Status) -> bool {
    details(status).is_some() && reason(status) == FailureReason::UnknownCursor
}

/// The failure of a call that is not about a set.
pub(super) fn of_store(error: ReconcileError) -> StoreError {
    match error {
        ReconcileError::Store(error) => error,
        other => StoreError::internal(other),
    }
}

fn details(status: &Status) -> Option<proto::Failure> {
    let details = Some(status.details()).filter(|details| !details.is_empty())?;
    proto::Failure::decode(details).ok()
}

fn reason(status: &Status) -> FailureReason {
    details(status).map_or(FailureReason::Unspecified, |failure| failure.reason())
}

/// An error with all that caused it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        // Some errors repeat what caused them.
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// A failure on the way, in few words: what is at the root of it.
pub(super) fn tell(status: &Status) -> String {
    let mut root: Option<&dyn Error> = status.source();
    while let Some(source) = root.and_then(Error::source) {
        root = Some(source);
    }
    match (root, status.message()) {
        (Some(root), _) => root.to_string(),
        (None, "") => status.code().description().to_owned(),
        (None, message) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_come_back_as_they_were() {
        let failures: [ReconcileError; 6] = [
            ReconcileError::TooLarge { max: 7 },
            ReconcileError::Protocol("malformed message: x".into()),
            StoreError::ReadOnly("disk full".into()).into(),
            StoreError::Unavailable("closed".into()).into(),
            StoreError::Invalid("no".into()).into(),
            StoreError::internal("lmdb failed").into(),
        ];
        for failure in failures {
            let text = format!("{failure:?}");
            let status = to_status(failure);
            assert_eq!(format!("{:?}", from_status(&status).unwrap()), text);
            assert!(!is_unknown_cursor(&status));
        }
        assert!(is_unknown_cursor(&status_of(&unknown_cursor())));
    }

    #[test]
    fn what_failed_on_the_way_is_no_failure_of_the_store() {
        assert!(from_status(&Status::unavailable("tcp connect error")).is_none());
        assert!(from_status(&Status::unimplemented("")).is_none());
    }
}
