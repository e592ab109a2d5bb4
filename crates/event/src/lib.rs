//! Nostr events, filters and messages, as the NIPs define them.
//!
//! Knows no socket, no disk, no clock but [`Timestamp::now`].

mod address;
mod deletion;
mod filter;
pub mod hex;
mod http_auth;
mod id;
mod json;
mod kind;
mod message;
mod packed;
mod parse;
mod parts;
mod sign;
mod tags;
mod timestamp;
mod verify;

pub use address::{Address, supersedes};
pub use deletion::{Deletion, is_vanish_request, may_delete};
pub use filter::{Filter, InvalidFilter};
pub use http_auth::{SpentTokens, check_http_auth};
pub use id::{EventId, InvalidHex, Pubkey, Signature};
pub use json::JsonError;
pub use kind::{Kind, KindClass};
pub use message::{ClientMessage, InvalidMessage, Prefix, Rejection, RelayMessage, SubscriptionId};
pub use packed::{Event, EventRef, NotAnEvent};
pub use parse::InvalidEvent;
pub use parts::Parts;
pub use sign::{Draft, InvalidKey, Keys};
pub use tags::{Tag, Tags, escaped, unescaped};
pub use timestamp::Timestamp;
pub use verify::{Forged, Verifier, has_valid_id, id_of};
