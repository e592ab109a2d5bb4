//! The wire form of a message (protocol V1, "Message", "Range", "Bound").
//!
//! A message is a version byte and ranges in ascending order; each names its upper bound and begins where the one
//! before ended. What follows the last range is skipped. Reading borrows from the message and allocates nothing.

mod malformed;
mod reader;
mod writer;

use event::EventId;

use crate::{Bound, Fingerprint};

pub use malformed::Malformed;
pub use reader::Ranges;
pub use writer::{Mark, MessageWriter};

/// The version byte of protocol V1.
pub const VERSION: u8 = 0x61;

const SKIP: u64 = 0;
const FINGERPRINT: u64 = 1;
const ID_LIST: u64 = 2;

/// One stretch of the set and what the sender says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<'a> {
    /// Where it ends; that place itself is outside.
    pub upper: Bound,
    /// What the sender says.
    pub payload: Payload<'a>,
}

/// What the sender of a range says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// Nothing more to do here.
    Skip,
    /// The fingerprint of all ids the sender has here.
    Fingerprint(Fingerprint),
    /// All ids the sender has here.
    IdList(IdList<'a>),
}

/// Ids as they lie in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdList<'a>(&'a [[u8; EventId::LEN]]);

impl IdList<'_> {
    /// How many ids there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids in the order sent; the same one may come twice.
    pub fn iter(&self) -> impl Iterator<Item = EventId> {
        self.0.iter().map(|bytes| EventId::new(*bytes))
    }
}

/// Splits a message into its version byte and what that version defines.
pub fn split_version(message: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    match message.split_first() {
        Some((version @ 0x60..=0x6f, body)) => Ok((*version, body)),
        Some((byte, _)) => Err(Malformed::NoVersion { byte: *byte }),
        None => Err(Malformed::Empty),
    }
}

#[cfg(test)]
mod tests;
