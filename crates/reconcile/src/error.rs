//! Why a round of reconciliation fails.

use crate::message::Malformed;

/// A round could not be finished; `E` is what the set fails with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error<E> {
    /// The peer sent bytes that are no message.
    #[error("malformed negentropy message")]
    Malformed(#[from] Malformed),
    /// The responder answered with the version it speaks, which is not ours.
    #[error("peer speaks negentropy version byte {version:#04x}, only 0x61 is supported")]
    UnsupportedVersion {
        /// The version byte of the peer's message.
        version: u8,
    },
    /// Many rounds in a row told of no id: the responder goes in circles.
    #[error("no id learnt in {rounds} rounds in a row, the peer makes no progress")]
    NoProgress {
        /// How many rounds were waited.
        rounds: u32,
    },
    /// The responder still has differences after as many rounds as the caller allows.
    #[error("not reconciled after {limit} rounds, the limit is {limit}")]
    TooManyRounds {
        /// The limit given to the initiator.
        limit: u32,
    },
    /// The set contradicts itself: its sums and its items do not belong to one snapshot.
    #[error("the set's counts and items contradict each other")]
    InconsistentSet,
    /// The set could not be read.
    #[error("read the set")]
    Set(#[source] E),
}
