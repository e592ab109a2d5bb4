//! NIP-77 range-based set reconciliation (negentropy protocol V1) over any ordered set.
//!
//! Two peers compare fingerprints of ever smaller ranges of (time, id) until they know which ids each lacks.
//! [`Initiator`] asks, [`Responder`] answers, [`Set`] is what they ask of a store. No I/O, no clock, and of
//! Nostr only ids and timestamps. Nothing here costs time or memory in proportion to the set, except to list
//! the ids that differ.

mod error;
mod frame_size_limit;
mod initiator;
mod item;
pub mod message;
mod responder;
mod round;
mod set;
mod sorted_vec;
mod summary;
mod varint;

pub use error::Error;
pub use frame_size_limit::{FrameSizeLimit, FrameSizeLimitTooSmall};
pub use initiator::{Initiator, InitiatorState, Step};
pub use item::{Bound, Item};
pub use responder::{Answer, Responder};
pub use set::{Selected, Set};
pub use sorted_vec::SortedVec;
pub use summary::{Fingerprint, Summary};
