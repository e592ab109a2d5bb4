//! What the writer is asked to do.

use event::{Address, Event, EventId, Timestamp};
use store::{SaveOutcome, StoreError, Tombstone};
use tokio::sync::oneshot;

/// Something to write, and where the answer goes.
pub(crate) enum Job {
    Save {
        events: Vec<Event>,
        reply: oneshot::Sender<Result<Vec<SaveOutcome>, StoreError>>,
    },
    Delete {
        ids: Vec<EventId>,
        tombstone: Tombstone,
        reply: oneshot::Sender<Result<u64, StoreError>>,
    },
    DeleteAddresses {
        addresses: Vec<Address>,
        until: Timestamp,
        reply: oneshot::Sender<Result<u64, StoreError>>,
    },
    SetMarker {
        key: String,
        value: Option<Vec<u8>>,
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
    ClaimMarker {
        key: String,
        value: Vec<u8>,
        reply: oneshot::Sender<Result<Vec<u8>, StoreError>>,
    },
    /// Removes what expired.
    Sweep {
        reply: oneshot::Sender<Result<(), StoreError>>,
    },
}

/// What a job came to, before it is answered.
pub(super) enum Done {
    Saved(Vec<SaveOutcome>),
    Deleted(u64),
    Marked,
    Claimed(Vec<u8>),
}

impl Job {
    /// Whether it takes things out only.
    pub(super) fn makes_room(&self) -> bool {
        matches!(self, Self::Delete { .. } | Self::DeleteAddresses { .. } | Self::Sweep { .. })
    }

    pub(super) fn events(&self) -> usize {
        match self {
            Self::Save { events, .. } => events.len(),
            Self::Delete { ids, .. } => ids.len(),
            Self::DeleteAddresses { addresses, .. } => addresses.len(),
            Self::SetMarker { .. } | Self::ClaimMarker { .. } | Self::Sweep { .. } => 0,
        }
    }

    /// Answers; whoever asked may have gone.
    pub(super) fn answer(self, result: Result<Done, StoreError>) {
        fn send<T>(reply: oneshot::Sender<Result<T, StoreError>>, result: Result<T, StoreError>) {
            drop(reply.send(result));
        }
        match (self, result) {
            (Self::Save { reply, .. }, Ok(Done::Saved(outcomes))) => send(reply, Ok(outcomes)),
            (
                Self::Delete { reply, .. } | Self::DeleteAddresses { reply, .. },
                Ok(Done::Deleted(removed)),
            ) => send(reply, Ok(removed)),
            (Self::SetMarker { reply, .. } | Self::Sweep { reply }, Ok(Done::Marked)) => {
                send(reply, Ok(()))
            }
            (Self::ClaimMarker { reply, .. }, Ok(Done::Claimed(value))) => send(reply, Ok(value)),
            (Self::Save { reply, .. }, Err(error)) => send(reply, Err(error)),
            (Self::Delete { reply, .. } | Self::DeleteAddresses { reply, .. }, Err(error)) => {
                send(reply, Err(error));
            }
            (Self::ClaimMarker { reply, .. }, Err(error)) => send(reply, Err(error)),
            (Self::SetMarker { reply, .. } | Self::Sweep { reply }, Err(error)) => {
                send(reply, Err(error))
            }
            (_, Ok(_)) => unreachable!("a job is answered with what it came to"),
        }
    }
}

/// The same failure for each job of a transaction.
pub(super) fn copy(error: &StoreError) -> StoreError {
    match error {
        StoreError::ReadOnly(reason) => StoreError::ReadOnly(reason.clone()),
        StoreError::Unavailable(reason) => StoreError::Unavailable(reason.clone()),
        StoreError::Invalid(reason) => StoreError::Invalid(reason.clone()),
        StoreError::Internal(source) => StoreError::internal(source.to_string()),
    }
}
