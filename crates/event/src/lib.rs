//! Nostr events, filters and messages, as the NIPs define them.
//!
//! Knows no socket, no disk, no clock but [`Timestamp::now`].

pub mod hex;
mod id;
mod timestamp;

pub use id::{EventId, InvalidHex, Pubkey, Signature};
pub use timestamp::Timestamp;
