//! Events by serial.

use async_trait::async_trait;
use event::{Address, Event, EventId, Timestamp};

use super::{MemoryStore, batch};
use crate::{EventBatch, Preview, Serial, SerialStore, StoreError};

#[async_trait]
impl SerialStore for MemoryStore {
    async fn serials_of(&self, ids: &[EventId]) -> Result<Vec<Option<Serial>>, StoreError> {
        let state = self.shared.state();
        Ok(ids.iter().map(|id| state.serial_of(id)).collect())
    }

    async fn fetch(&self, serials: &[Serial]) -> Result<EventBatch, StoreError> {
        let state = self.shared.state();
        let found = serials
            .iter()
            .filter_map(|serial| state.events.get(serial).map(|event| (*serial, event.clone())));
        Ok(batch(&found.collect::<Vec<_>>()))
    }

    async fn serials(
        &self,
        first: Serial,
        last: Serial,
        most: usize,
    ) -> Result<Vec<Serial>, StoreError> {
        let state = self.shared.state();
        let used = state.events.keys().filter(|serial| (first..=last).contains(*serial));
        Ok(used.take(most).copied().collect())
    }

    async fn preview(&self, event: &Event) -> Result<Preview, StoreError> {
        let state = self.shared.state();
        if let Some(refusal) = state.refusal(event.as_ref()) {
            return Ok(Preview::Refused(refusal));
        }
        let address = Address::of(event.as_ref());
        let mut events = state.events();
        let old = events.find(|(_, old)| address.is_some() && Address::of(*old) == address);
        Ok(old.map_or(Preview::Stored, |(serial, _)| Preview::Replaces(serial)))
    }

    async fn remove_expired(&self) -> Result<(), StoreError> {
        let now = Timestamp::now();
        self.shared.state().remove_where(|event| event.is_expired(now));
        Ok(())
    }
}
