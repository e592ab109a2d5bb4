//! Failures and refusals as the wire has them.

use acl::{ClaimError, List, ManagementError, Mode};
use event::{Prefix, Rejection};
use store::StoreError;
use tonic::{Code, Status};

use crate::convert::Malformed;

/// What a caller of the service is told.
pub(super) fn to_status(error: impl Into<ManagementError>) -> Status {
    let error = error.into();
    let code = match &error {
        ManagementError::WrongMode { .. } => Code::FailedPrecondition,
        ManagementError::Invalid(_) | ManagementError::Store(StoreError::Invalid(_)) => {
            Code::InvalidArgument
        }
        ManagementError::Store(StoreError::Unavailable(_)) | ManagementError::Unavailable(_) => {
            Code::Unavailable
        }
        ManagementError::Store(StoreError::ReadOnly(_)) => Code::FailedPrecondition,
        ManagementError::Store(StoreError::Internal(source)) => {
            tracing::error!(error = &**source as &dyn std::error::Error, "event store");
            Code::Internal
        }
    };
    Status::new(code, error.to_string())
}

/// What a caller is told whose name is not to be had.
pub(super) fn of_claim(error: ClaimError) -> Status {
    match error {
        ClaimError::Taken(_) => Status::already_exists(error.to_string()),
        ClaimError::Invalid(text) => Status::invalid_argument(text),
        ClaimError::Store(error) => to_status(error),
    }
}

/// What a caller is told who sent no sense.
pub(super) fn malformed(error: Malformed) -> Status {
    error.into()
}

/// What the service's refusal means to us: its own words, but where its mode has no such thing.
pub(super) fn from_status(status: &Status, mode: Mode, list: Option<List>) -> ManagementError {
    let is_wrong_mode = match list {
        Some(list) => !list.belongs_to(mode),
        None => mode != Mode::Curating,
    };
    match status.code() {
        Code::FailedPrecondition if is_wrong_mode => {
            ManagementError::WrongMode { mode, needed: needed(list) }
        }
        Code::FailedPrecondition | Code::InvalidArgument | Code::AlreadyExists | Code::NotFound => {
            ManagementError::Invalid(status.message().to_owned())
        }
        _ => ManagementError::Unavailable(status.message().to_owned()),
    }
}

fn needed(list: Option<List>) -> &'static str {
    match list {
        Some(List::BlockedIps) => "managed or curating",
        Some(list) if list.belongs_to(Mode::Managed) => "managed",
        _ => "curating",
    }
}

/// The refusal of an event; what has no prefix is blocked.
pub(super) fn rejection(text: &str) -> Rejection {
    let split = text.split_once(": ");
    let known = split.and_then(|(start, rest)| {
        let prefix = Prefix::ALL.into_iter().find(|prefix| prefix.as_str() == start)?;
        Some(Rejection::new(prefix, rest))
    });
    known.unwrap_or_else(|| {
        let text = if text.is_empty() { "not allowed here" } else { text };
        Rejection::new(Prefix::Blocked, text.chars().take(500).collect::<String>())
    })
}

/// What clients are told while nobody can decide.
pub(super) fn unreachable() -> Rejection {
    Rejection::new(Prefix::Error, "access control is not reachable")
}
