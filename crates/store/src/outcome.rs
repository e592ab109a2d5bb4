//! What became of an event that was to be saved. None of these is an error.

use crate::Serial;

/// What a store did with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaveOutcome {
    /// It is on disk.
    Stored(Serial),
    /// It was there.
    Duplicate,
    /// A newer event has its address (NIP-01).
    Superseded,
    /// Its author or an admin deleted it (NIP-09).
    Deleted,
    /// Its author asked to vanish (NIP-62).
    Vanished,
    /// Its time is over (NIP-40).
    Expired,
    /// Its kind is never stored (NIP-01).
    Ephemeral,
    /// A rule of another's store is against it: which one.
    Refused(&'static str),
}

/// Whether a deleted id stays refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tombstone {
    /// The event may not come back.
    Keep,
    /// The event may come back.
    Forget,
}
