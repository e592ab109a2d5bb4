//! Events by serial, and what a save would come to: what a store has to tell when it is a service.

use async_trait::async_trait;
use event::{Event, EventId};

use crate::{EventBatch, SaveOutcome, Serial, StoreError};

/// A store whose events are found by serial.
#[async_trait]
pub trait SerialStore: Send + Sync + 'static {
    /// The serial of each id, `None` where its event is not stored.
    async fn serials_of(&self, ids: &[EventId]) -> Result<Vec<Option<Serial>>, StoreError>;

    /// The events with these serials, in the order asked; those that are not stored are left out.
    async fn fetch(&self, serials: &[Serial]) -> Result<EventBatch, StoreError>;

    /// The first `most` serials that are in use from `first` to `last`, both included, in order.
    async fn serials(
        &self,
        first: Serial,
        last: Serial,
        most: usize,
    ) -> Result<Vec<Serial>, StoreError>;

    /// Says what saving `event` would come to now. Nothing is stored.
    async fn preview(&self, event: &Event) -> Result<Preview, StoreError>;

    /// Removes what expired (NIP-40). A store does so by itself too, in its own time.
    async fn remove_expired(&self) -> Result<(), StoreError>;
}

/// What saving an event would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preview {
    /// It would be stored, and nothing is at its address.
    Stored,
    /// It would be stored in place of the event with this serial (NIP-01).
    Replaces(Serial),
    /// It would be refused with this outcome, which is not `Stored`.
    Refused(SaveOutcome),
}
