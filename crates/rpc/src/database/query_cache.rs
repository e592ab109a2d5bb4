//! Answers that clients want kept: bounded in bytes and age, and gone once the store changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use event::{Event, Filter};
use prost::Message;
use prost::bytes::Bytes;
use store::{Serial, StoreError};
use tonic::Status;

use super::Database;
use super::failure::{OrFail, required};
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const GET_JSON: &str = "get cached JSON";
const KEEP_JSON: &str = "cache marshaled JSON";
const GET_EVENTS: &str = "get cached events";
const KEEP_EVENTS: &str = "cache events";
/// What an entry takes beside its items, about.
const ENTRY_BYTES: usize = 256;

/// The answers kept.
pub(super) struct QueryCache {
    capacity: usize,
    age: Duration,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_key: HashMap<Arc<Key>, Entry>,
    /// Oldest first.
    by_age: BTreeMap<u64, Arc<Key>>,
    next: u64,
    bytes: usize,
}

/// Events and JSON do not stand for each other.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Json(Filter),
    Events(Filter),
}

impl Key {
    /// What it takes, about: a filter may have a million ids.
    fn bytes(&self) -> usize {
        let (Self::Json(filter) | Self::Events(filter)) = self;
        proto::Filter::from(filter).encoded_len()
    }
}

struct Entry {
    number: u64,
    items: Vec<Bytes>,
    bytes: usize,
    kept_at: Instant,
    state: State,
}

/// How the store was: a save changes one, a removal the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    last_serial: Serial,
    events: u64,
}

impl QueryCache {
    pub(super) fn new(capacity: usize, age: Duration) -> Self {
        Self { capacity, age, entries: Mutex::default() }
    }

    fn get(&self, key: &Key, state: State) -> Option<Vec<Bytes>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.by_key.get(key)?;
        if entry.state == state && entry.kept_at.elapsed() < self.age {
            return Some(entry.items.clone());
        }
        entries.remove(key);
        None
    }

    fn keep(&self, key: Key, items: Vec<Bytes>, state: State) {
        let bytes =
            ENTRY_BYTES + key.bytes() + items.iter().map(|item| item.len() + 32).sum::<usize>();
        if bytes > self.capacity {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.remove(&key);
        while entries.bytes + bytes > self.capacity
            && let Some((_, oldest)) = entries.by_age.pop_first()
        {
            entries.remove(&oldest);
        }
        let number = entries.next;
        entries.next += 1;
        entries.bytes += bytes;
        let key = Arc::new(key);
        entries.by_age.insert(number, Arc::clone(&key));
        let kept_at = Instant::now();
        entries.by_key.insert(key, Entry { number, items, bytes, kept_at, state });
    }

    fn clear(&self) {
        *self.entries.lock().unwrap_or_else(PoisonError::into_inner) = Entries::default();
    }
}

impl Entries {
    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.by_key.remove(key) {
            self.by_age.remove(&entry.number);
            self.bytes -= entry.bytes;
        }
    }
}

impl Database {
    pub(super) async fn get_cached_json(
        &self,
        request: proto::GetCachedJsonRequest,
    ) -> Result<proto::GetCachedJsonResponse, Status> {
        let key = Key::Json(filter(request.filter).or_fail(GET_JSON)?);
        let items = self.query_cache.get(&key, self.state().await.or_fail(GET_JSON)?);
        let found = items.is_some();
        Ok(proto::GetCachedJsonResponse { json_items: items.unwrap_or_default(), found })
    }

    pub(super) async fn cache_marshaled_json(
        &self,
        request: proto::CacheMarshaledJsonRequest,
    ) -> Result<proto::Empty, Status> {
        let key = Key::Json(filter(request.filter).or_fail(KEEP_JSON)?);
        let state = self.state().await.or_fail(KEEP_JSON)?;
        self.query_cache.keep(key, request.json_items.iter().map(own).collect(), state);
        Ok(proto::Empty {})
    }

    pub(super) async fn get_cached_events(
        &self,
        request: proto::GetCachedEventsRequest,
    ) -> Result<proto::GetCachedEventsResponse, Status> {
        let key = Key::Events(filter(request.filter).or_fail(GET_EVENTS)?);
        let items = self.query_cache.get(&key, self.state().await.or_fail(GET_EVENTS)?);
        let found = items.is_some();
        let events = items.unwrap_or_default().into_iter();
        let events = events.filter_map(|item| proto::Event::decode(item).ok()).collect();
        Ok(proto::GetCachedEventsResponse { events, found })
    }

    pub(super) async fn cache_events(
        &self,
        request: proto::CacheEventsRequest,
    ) -> Result<proto::Empty, Status> {
        let key = Key::Events(filter(request.filter).or_fail(KEEP_EVENTS)?);
        let state = self.state().await.or_fail(KEEP_EVENTS)?;
        let items = request.events.into_iter().map(|event| {
            let event = Event::try_from(event)?;
            Ok(proto::Event::from(event.as_ref()).encode_to_vec().into())
        });
        let items = items.collect::<Result<_, Malformed>>().or_fail(KEEP_EVENTS)?;
        self.query_cache.keep(key, items, state);
        Ok(proto::Empty {})
    }

    pub(super) async fn invalidate_query_cache(
        &self,
        _: proto::Empty,
    ) -> Result<proto::Empty, Status> {
        self.query_cache.clear();
        Ok(proto::Empty {})
    }

    async fn state(&self) -> Result<State, StoreError> {
        let status = self.store.status().await?;
        Ok(State { last_serial: status.last_serial, events: status.events })
    }
}

fn filter(filter: Option<proto::Filter>) -> Result<Filter, Malformed> {
    required("filter", filter)?.try_into()
}

/// A copy: the item is a part of the message it came in, which it would keep.
fn own(item: &Bytes) -> Bytes {
    Bytes::copy_from_slice(item)
}

#[cfg(test)]
mod tests {
    use event::EventId;

    use super::*;

    fn key(limit: u64) -> Key {
        Key::Json(Filter { limit: Some(limit), ..Filter::default() })
    }

    fn state(serial: u64) -> State {
        State { last_serial: Serial::new(serial), events: 1 }
    }

    #[test]
    fn the_oldest_answers_make_room() {
        let cache = QueryCache::new(10_000, Duration::from_secs(60));
        let item = vec![Bytes::from(vec![0; 3000])];
        for limit in 0..4 {
            cache.keep(key(limit), item.clone(), state(1));
            cache.keep(key(limit), item.clone(), state(1));
        }
        let kept: Vec<bool> =
            (0..4).map(|limit| cache.get(&key(limit), state(1)).is_some()).collect();
        assert_eq!(kept, [false, true, true, true]);
        cache.keep(key(9), vec![Bytes::from(vec![0; 20_000])], state(1));
        assert!(cache.get(&key(9), state(1)).is_none());
        cache.clear();
        assert!(cache.get(&key(3), state(1)).is_none());
    }

    #[test]
    fn a_long_question_counts_too() {
        let cache = QueryCache::new(10_000, Duration::from_secs(60));
        let ids = Some((0..400_u16).map(|id| EventId::new(of(id))).collect());
        let long = Key::Json(Filter { ids, ..Filter::default() });
        cache.keep(long.clone(), Vec::new(), state(1));
        assert!(cache.get(&long, state(1)).is_none());
    }

    fn of(id: u16) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..2].copy_from_slice(&id.to_be_bytes());
        bytes
    }

    #[test]
    fn an_answer_ends_with_its_age_and_with_a_change() {
        let cache = QueryCache::new(10_000, Duration::from_secs(60));
        cache.keep(key(1), Vec::new(), state(1));
        assert!(cache.get(&key(1), state(1)).is_some());
        assert!(cache.get(&key(1), state(2)).is_none());
        assert!(cache.get(&key(1), state(1)).is_none(), "it came back");
        let cache = QueryCache::new(10_000, Duration::ZERO);
        cache.keep(key(1), Vec::new(), state(1));
        assert!(cache.get(&key(1), state(1)).is_none());
    }
}
