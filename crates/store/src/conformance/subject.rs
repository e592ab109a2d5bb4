//! A store under examination: the only place where rules touch the seam.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use event::{Address, Event, EventId, Filter, Keys, Kind, Timestamp};

use crate::{
    EventStore, Markers, Query, Rows, SaveOutcome, Serial, StoreError, Tombstone, Viewer, Watch,
};

/// How long a watcher may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store under examination.
pub struct Subject {
    /// Its events.
    pub store: Arc<dyn EventStore>,
    /// Its markers.
    pub markers: Arc<dyn Markers>,
    /// What has to live as long: a server, a directory.
    pub keep: Box<dyn Any + Send>,
}

impl Subject {
    /// Takes a store, and what has to live as long.
    pub fn new<S: EventStore + Markers>(store: Arc<S>, keep: impl Any + Send) -> Self {
        Self { store: Arc::clone(&store) as _, markers: store, keep: Box::new(keep) }
    }

    /// Saves one batch.
    pub async fn save(&self, events: &[&Event]) -> Result<Vec<SaveOutcome>, StoreError> {
        self.store.save(events.iter().copied().cloned().collect()).await
    }

    /// Saves one batch, all of which must be stored; returns their serials.
    pub async fn accepts(&self, events: &[&Event]) -> Vec<Serial> {
        let outcomes = self.save(events).await.unwrap().into_iter();
        let serials = outcomes.zip(events).map(|(outcome, event)| match outcome {
            SaveOutcome::Stored(serial) => serial,
            refused => panic!("{refused:?}: {event:?}"),
        });
        serials.collect()
    }

    /// Saves one event, which must come to `outcome`.
    pub(crate) async fn refuses(&self, event: &Event, outcome: SaveOutcome) {
        assert_eq!(self.save(&[event]).await.unwrap(), [outcome], "{event:?}");
    }

    /// Removes events on the operator's behalf.
    pub(crate) async fn removes(&self, events: &[&Event], tombstone: Tombstone) -> u64 {
        let ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
        self.store.delete(&ids, tombstone).await.unwrap()
    }

    /// Removes on the operator's behalf what an author has of a replaceable kind, up to a time.
    pub(crate) async fn clears(&self, kind: u16, author: &Keys, until: u64) -> u64 {
        let d = "".into();
        let address = Address { kind: Kind::new(kind), pubkey: author.pubkey(), d };
        self.store.delete_addresses(&[address], Timestamp::from_secs(until)).await.unwrap()
    }

    /// All that is stored must be `events`, in any order.
    pub(crate) async fn holds(&self, events: &[&Event]) {
        let mut found = self.all("{}").await;
        let mut expected: Vec<Event> = events.iter().copied().cloned().collect();
        found.sort_by_key(|event| event.as_ref().id());
        expected.sort_by_key(|event| event.as_ref().id());
        assert_eq!(found, expected);
        let ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
        assert!(self.store.contains(&ids).await.unwrap().into_iter().all(|is_stored| is_stored));
    }

    /// The answer to a filter must be `events`, in this order, and as many must be counted.
    pub(crate) async fn finds(&self, filter: &str, events: &[&Event]) {
        self.shows(&Viewer::OPERATOR, &[filter], events).await;
    }

    /// The answer to a viewer must be `events`, in this order, and as many must be counted.
    pub(crate) async fn shows(&self, viewer: &Viewer, filters: &[&str], events: &[&Event]) {
        let query = query(viewer, filters);
        let found = self.answer(&query).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), events, "{filters:?}");
        if query.filters.iter().all(|filter| filter.limit.is_none()) {
            assert_eq!(self.store.count(&query).await.unwrap(), events.len() as u64, "{filters:?}");
        }
    }

    /// How many a viewer is told there are.
    pub(crate) async fn count(&self, viewer: &Viewer, filters: &[&str]) -> u64 {
        self.store.count(&query(viewer, filters)).await.unwrap()
    }

    /// The answer to a filter.
    pub async fn all(&self, filter: &str) -> Vec<Event> {
        self.answer(&query(&Viewer::OPERATOR, &[filter])).await
    }

    /// The answer to a query.
    pub async fn answer(&self, query: &Query) -> Vec<Event> {
        let mut rows = self.store.query(query.clone());
        let mut found = Vec::new();
        while let Some(events) = more(rows.as_mut()).await {
            found.extend(events);
        }
        assert!(more(rows.as_mut()).await.is_none(), "an answer that ended goes on");
        found
    }

    /// The next `count` events of a watcher.
    pub async fn next(&self, watch: &mut dyn Watch, count: usize) -> Vec<(Serial, EventId)> {
        let mut seen = Vec::new();
        while seen.len() < count {
            let batch = tokio::time::timeout(PATIENCE, watch.next()).await;
            let batch = batch.unwrap_or_else(|_| panic!("{} of {count} events came", seen.len()));
            seen.extend(batch.unwrap().iter().map(|(serial, event)| (serial, event.id())));
        }
        seen
    }
}

/// The next batch of an answer, which is never empty.
pub(crate) async fn more(rows: &mut dyn Rows) -> Option<Vec<Event>> {
    let batch = rows.next().await.unwrap()?;
    assert!(!batch.is_empty());
    Some(batch.iter().map(|(_, event)| event.to_event()).collect())
}

/// A query from JSON.
pub(crate) fn query(viewer: &Viewer, filters: &[&str]) -> Query {
    let filters = filters.iter().map(|filter| Filter::from_json(filter).unwrap()).collect();
    Query { filters, viewer: viewer.clone() }
}
