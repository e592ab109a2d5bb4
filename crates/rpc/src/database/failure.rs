//! What a call answers when it cannot do what it is asked: `<call> failed: <why>`, with a code.
//!
//! Clients written for the original cut the text at "failed: ". A prefix of NIP-01 in what follows
//! (`blocked:`, `invalid:`, `error:`) is meant for the user.

use std::error::Error;

use store::StoreError;
use tonic::{Code, Status};

use crate::Malformed;

/// Turns what went wrong into the answer of the call `operation`.
pub(super) trait OrFail<T> {
    fn or_fail(self, operation: &str) -> Result<T, Status>;
}

impl<T, E: Failure> OrFail<T> for Result<T, E> {
    fn or_fail(self, operation: &str) -> Result<T, Status> {
        self.map_err(|error| {
            let (code, text) = error.answer(operation);
            failed(operation, code, text)
        })
    }
}

/// The answer of the call `operation` that failed.
pub(super) fn failed(operation: &str, code: Code, text: impl std::fmt::Display) -> Status {
    Status::new(code, format!("{operation} failed: {text}"))
}

/// A field that must be there.
pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| Malformed::new(field, "missing"))
}

/// Something that goes wrong, as clients are told of it.
pub(super) trait Failure {
    fn answer(self, operation: &str) -> (Code, String);
}

impl Failure for Malformed {
    fn answer(self, _: &str) -> (Code, String) {
        (Code::InvalidArgument, format!("invalid: {self}"))
    }
}

impl Failure for StoreError {
    fn answer(self, operation: &str) -> (Code, String) {
        match &self {
            Self::ReadOnly(_) => (Code::ResourceExhausted, format!("error: {self}")),
            Self::Unavailable(_) => (Code::Unavailable, format!("error: {self}")),
            Self::Invalid(_) => (Code::InvalidArgument, format!("invalid: {self}")),
            Self::Internal(_) => internal(operation, &self),
        }
    }
}

impl Failure for std::io::Error {
    fn answer(self, operation: &str) -> (Code, String) {
        match self.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                (Code::ResourceExhausted, "error: no room left on the disk".into())
            }
            _ => internal(operation, &self),
        }
    }
}

/// The log has the chain, the client has not.
fn internal(operation: &str, error: &(dyn Error + 'static)) -> (Code, String) {
    tracing::error!(error, "{operation} failed");
    (Code::Internal, "error: internal".into())
}
