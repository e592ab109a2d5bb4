//! What an operator looks at and removes: the events of an author.

use event::{EventId, Filter, Pubkey, Timestamp};
use store::{EventBatch, EventStore, Query, StoreError, Tombstone};

/// How many events of an author are shown at once.
const MOST_SHOWN: usize = 1000;
/// How many events are removed at once.
const CHUNK: usize = 1000;

/// A page of the events of an author, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuthorsEvents {
    /// Those asked for.
    pub events: EventBatch,
    /// How many there are.
    pub total: u64,
}

/// The events of an author, newest first, from the one at `offset` on.
pub async fn events_of(
    store: &dyn EventStore,
    author: Pubkey,
    limit: usize,
    offset: usize,
) -> Result<AuthorsEvents, StoreError> {
    let total = store.count(&Query::by_operator(by(author))).await?;
    let limit = if limit == 0 { 100 } else { limit.min(MOST_SHOWN) };
    let mut shown = EventBatch::default();
    let last = u64::try_from(offset.saturating_add(limit)).unwrap_or(u64::MAX);
    let filter = Filter { limit: Some(last), ..by(author) };
    let mut rows = store.query(Query::by_operator(filter));
    let mut at = 0;
    while let Some(batch) = rows.next().await? {
        for (serial, event) in batch.iter() {
            if at >= offset {
                shown.push(serial, event);
            }
            at += 1;
        }
    }
    Ok(AuthorsEvents { events: shown, total })
}

/// Removes all events of an author; they stay refused. Returns how many there were.
pub async fn delete_events_of(store: &dyn EventStore, author: Pubkey) -> Result<u64, StoreError> {
    let mut removed = 0;
    loop {
        let filter = Filter { limit: Some(CHUNK as u64), ..by(author) };
        let mut rows = store.query(Query::by_operator(filter));
        let mut ids: Vec<EventId> = Vec::new();
        while let Some(batch) = rows.next().await? {
            ids.extend(batch.iter().map(|(_, event)| event.id()));
        }
        let gone = store.delete(&ids, Tombstone::Keep).await?;
        removed += gone;
        // What cannot be removed would be found for ever.
        if gone == 0 {
            return Ok(removed);
        }
    }
}

/// All events of all authors: who wrote how many, and since when.
pub(crate) async fn visit_all(
    store: &dyn EventStore,
    mut visit: impl FnMut(Pubkey, Timestamp),
) -> Result<(), StoreError> {
    let mut rows = store.query(Query::by_operator(Filter::default()));
    while let Some(batch) = rows.next().await? {
        for (_, event) in batch.iter() {
            visit(event.pubkey(), event.created_at());
        }
    }
    Ok(())
}

fn by(author: Pubkey) -> Filter {
    Filter { authors: Some(vec![author]), ..Filter::default() }
}
