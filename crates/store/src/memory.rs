//! A store in memory, the plainest that keeps the rules: what other engines are compared with.
//!
//! Every answer is found by looking at every event. Nothing is ever written to disk.

mod serials;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use event::{
    Address, Deletion, Event, EventId, EventRef, Kind, KindClass, Pubkey, Timestamp,
    is_vanish_request, may_delete, supersedes,
};
use tokio::sync::watch;

use crate::{
    EventBatch, EventStore, HIDDEN_AUTHORS_MARKER, HiddenAuthors, Markers, Query, Rows,
    SaveOutcome, Serial, StoreError, StoreStatus, Tombstone, Watch,
};

/// An event store in memory.
pub struct MemoryStore {
    relay_urls: Vec<String>,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    last_serial: watch::Sender<Serial>,
}

#[derive(Default)]
struct State {
    events: BTreeMap<Serial, Event>,
    last_serial: Serial,
    /// Ids, and whose events with them are refused: `None` is anybody's.
    deleted_ids: BTreeSet<(EventId, Option<Pubkey>)>,
    /// Up to which `created_at` an address is deleted.
    deleted_addresses: BTreeMap<Address, Timestamp>,
    /// Up to which `created_at` an author vanished.
    vanished: BTreeMap<Pubkey, Timestamp>,
    markers: BTreeMap<String, Vec<u8>>,
}

impl MemoryStore {
    /// Makes an empty store. Requests to vanish (NIP-62) are heeded if they name all relays or one
    /// of `relay_urls`.
    pub fn new(relay_urls: Vec<String>) -> Self {
        let (last_serial, _) = watch::channel(Serial::default());
        Self { relay_urls, shared: Arc::new(Shared { state: Mutex::default(), last_serial }) }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn save(&self, events: Vec<Event>) -> Result<Vec<SaveOutcome>, StoreError> {
        let (outcomes, last_serial) = {
            let mut state = self.shared.state();
            let save = |event| state.save(event, &self.relay_urls);
            (events.into_iter().map(save).collect(), state.last_serial)
        };
        self.shared.last_serial.send_replace(last_serial);
        Ok(outcomes)
    }

    async fn contains(&self, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
        let state = self.shared.state();
        Ok(ids.iter().map(|id| state.serial_of(id).is_some()).collect())
    }

    fn query(&self, query: Query) -> Box<dyn Rows> {
        Box::new(MemoryRows(Some(self.shared.state().query(&query))))
    }

    async fn count(&self, query: &Query) -> Result<u64, StoreError> {
        let unlimited = |filter: &event::Filter| event::Filter { limit: None, ..filter.clone() };
        let filters = query.filters.iter().map(unlimited).collect();
        let all = Query { filters, viewer: query.viewer.clone() };
        Ok(self.shared.state().query(&all).len() as u64)
    }

    async fn delete(&self, ids: &[EventId], tombstone: Tombstone) -> Result<u64, StoreError> {
        let mut state = self.shared.state();
        let mut removed = 0;
        for id in ids {
            let serial = state.serial_of(id);
            removed +=
                u64::from(serial.is_some_and(|serial| state.events.remove(&serial).is_some()));
            match tombstone {
                Tombstone::Keep => state.deleted_ids.insert((*id, None)),
                Tombstone::Forget => state.deleted_ids.remove(&(*id, None)),
            };
        }
        Ok(removed)
    }

    async fn delete_addresses(
        &self,
        addresses: &[Address],
        until: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut state = self.shared.state();
        let before = state.events.len();
        addresses.iter().for_each(|address| state.delete_address(address.clone(), until));
        Ok((before - state.events.len()) as u64)
    }

    fn watch(&self, after: Serial) -> Box<dyn Watch> {
        let last_serial = self.shared.last_serial.subscribe();
        Box::new(MemoryWatch { shared: Arc::clone(&self.shared), last_serial, after })
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let state = self.shared.state();
        let events = state.events.len() as u64;
        let last_serial = state.last_serial;
        Ok(StoreStatus { events, last_serial, disk_bytes: 0, read_only: None })
    }
}

impl State {
    fn save(&mut self, event: Event, relay_urls: &[String]) -> SaveOutcome {
        if let Some(refusal) = self.refusal(event.as_ref()) {
            return refusal;
        }
        if let Some(address) = Address::of(event.as_ref()) {
            self.remove_where(|old| Address::of(old).as_ref() == Some(&address));
        }
        if let Some(deletion) = Deletion::of(event.as_ref()) {
            self.delete(event.as_ref(), deletion);
        }
        if is_vanish_request(event.as_ref(), relay_urls) {
            let until = self.vanished.entry(event.as_ref().pubkey()).or_default();
            *until = event.as_ref().created_at().max(*until);
            let vanished = self.vanished.clone();
            self.remove_where(|old| has_vanished(&vanished, old));
        }
        self.last_serial = Serial::new(self.last_serial.as_u64() + 1);
        self.events.insert(self.last_serial, event);
        SaveOutcome::Stored(self.last_serial)
    }

    fn refusal(&self, event: EventRef<'_>) -> Option<SaveOutcome> {
        let address = Address::of(event);
        let deleted_until =
            address.as_ref().and_then(|address| self.deleted_addresses.get(address));
        let mut same_address =
            self.events().filter(|(_, old)| address.is_some() && Address::of(*old) == address);
        if event.kind().class() == KindClass::Ephemeral {
            Some(SaveOutcome::Ephemeral)
        } else if event.is_expired(Timestamp::now()) {
            Some(SaveOutcome::Expired)
        } else if self.serial_of(&event.id()).is_some() {
            Some(SaveOutcome::Duplicate)
        } else if self.is_id_deleted(event) {
            Some(SaveOutcome::Deleted)
        } else if has_vanished(&self.vanished, event) {
            Some(SaveOutcome::Vanished)
        } else if deleted_until.is_some_and(|until| event.created_at() <= *until) {
            Some(SaveOutcome::Deleted)
        } else if same_address.any(|(_, old)| !supersedes(event, old)) {
            Some(SaveOutcome::Superseded)
        } else {
            None
        }
    }

    /// Whether an admin or, if they may, its author deleted the event's id.
    fn is_id_deleted(&self, event: EventRef<'_>) -> bool {
        self.deleted_ids.contains(&(event.id(), None))
            || may_delete(event, event)
                && self.deleted_ids.contains(&(event.id(), Some(event.pubkey())))
    }

    fn delete(&mut self, request: EventRef<'_>, deletion: Deletion) {
        let author = request.pubkey();
        self.remove_where(|old| deletion.ids.contains(&old.id()) && may_delete(request, old));
        self.deleted_ids.extend(deletion.ids.into_iter().map(|id| (id, Some(author))));
        for address in deletion.addresses {
            self.delete_address(address, request.created_at());
        }
    }

    fn delete_address(&mut self, address: Address, until: Timestamp) {
        self.remove_where(|old| {
            Address::of(old).as_ref() == Some(&address) && old.created_at() <= until
        });
        let deleted_until = self.deleted_addresses.entry(address).or_default();
        *deleted_until = until.max(*deleted_until);
    }

    fn query(&self, query: &Query) -> Vec<(Serial, Event)> {
        let now = Timestamp::now();
        let hidden = self.markers.get(HIDDEN_AUTHORS_MARKER).map(Vec::as_slice);
        let hidden = HiddenAuthors::from_marker(hidden.unwrap_or_default());
        let mut given: Vec<(Serial, Event)> = Vec::new();
        for filter in &query.filters {
            let mut found: Vec<_> = self
                .events()
                .filter(|(_, event)| {
                    filter.matches(*event) && query.viewer.may_see(*event, &hidden)
                })
                .filter(|(_, event)| !event.is_expired(now))
                .collect();
            found.sort_by_key(|(_, event)| (Reverse(event.created_at()), event.id()));
            found.truncate(
                filter.limit.map_or(usize::MAX, |limit| limit.try_into().unwrap_or(usize::MAX)),
            );
            for (serial, event) in found {
                if given.iter().all(|(other, _)| *other != serial) {
                    given.push((serial, event.to_event()));
                }
            }
        }
        given
    }

    fn events(&self) -> impl Iterator<Item = (Serial, EventRef<'_>)> {
        self.events.iter().map(|(serial, event)| (*serial, event.as_ref()))
    }

    fn serial_of(&self, id: &EventId) -> Option<Serial> {
        self.events().find(|(_, event)| event.id() == *id).map(|(serial, _)| serial)
    }

    fn remove_where(&mut self, is_wanted: impl Fn(EventRef<'_>) -> bool) {
        self.events.retain(|_, event| !is_wanted(event.as_ref()));
    }
}

/// Whether the author of an event or, for gift wraps, who it is for vanished after it was made.
fn has_vanished(vanished: &BTreeMap<Pubkey, Timestamp>, event: EventRef<'_>) -> bool {
    vanished.iter().any(|(pubkey, until)| {
        let own = event.pubkey() == *pubkey && event.kind() != Kind::VANISH;
        let wrap = event.kind() == Kind::GIFT_WRAP && event.is_party(pubkey);
        (own || wrap) && event.created_at() <= *until
    })
}

#[async_trait]
impl Markers for MemoryStore {
    async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.shared.state().markers.get(key).cloned())
    }

    async fn set_marker(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let mut state = self.shared.state();
        match value {
            Some(value) => state.markers.insert(key.to_owned(), value),
            None => state.markers.remove(key),
        };
        Ok(())
    }

    async fn claim_marker(&self, key: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        Ok(self.shared.state().markers.entry(key.to_owned()).or_insert(value).clone())
    }

    async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let state = self.shared.state();
        let found = state.markers.iter().filter(|(key, _)| key.starts_with(prefix));
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

/// The whole answer, in one batch.
struct MemoryRows(Option<Vec<(Serial, Event)>>);

#[async_trait]
impl Rows for MemoryRows {
    async fn next(&mut self) -> Result<Option<EventBatch>, StoreError> {
        Ok(self.0.take().filter(|found| !found.is_empty()).map(|found| batch(&found)))
    }
}

struct MemoryWatch {
    shared: Arc<Shared>,
    last_serial: watch::Receiver<Serial>,
    after: Serial,
}

#[async_trait]
impl Watch for MemoryWatch {
    async fn next(&mut self) -> Result<Arc<EventBatch>, StoreError> {
        loop {
            let after = self.after;
            let gone = |_| StoreError::Unavailable("the event store is closed".into());
            self.last_serial.wait_for(|last| *last > after).await.map_err(gone)?;
            let found: Vec<_> = {
                let state = self.shared.state();
                self.after = state.last_serial;
                let new = state.events.iter().filter(|(serial, _)| **serial > after);
                new.map(|(serial, event)| (*serial, event.clone())).collect()
            };
            if !found.is_empty() {
                return Ok(Arc::new(batch(&found)));
            }
        }
    }
}

fn batch(events: &[(Serial, Event)]) -> EventBatch {
    let mut batch = EventBatch::default();
    events.iter().for_each(|(serial, event)| batch.push(*serial, event.as_ref()));
    batch
}
