//! What is wrong with a message from outside, by field.

use std::borrow::Cow;

use tonic::Status;

/// A field does not hold what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct Malformed {
    /// The field, as the .proto names it.
    pub(crate) field: Cow<'static, str>,
    /// What was expected, or found.
    pub(crate) reason: Cow<'static, str>,
}

impl Malformed {
    pub(crate) fn new(
        field: impl Into<Cow<'static, str>>,
        reason: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { field: field.into(), reason: reason.into() }
    }
}

impl From<Malformed> for Status {
    fn from(malformed: Malformed) -> Self {
        Self::invalid_argument(format!("invalid: {malformed}"))
    }
}

/// Bytes of a fixed length: an id, a key, a signature.
pub(crate) fn fixed<const N: usize>(
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], Malformed> {
    bytes
        .try_into()
        .map_err(|_| Malformed::new(field, format!("expected {N} bytes, found {}", bytes.len())))
}

/// Bytes that are text.
pub(crate) fn text(field: impl Into<Cow<'static, str>>, bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed::new(field, "not valid UTF-8"))
}
