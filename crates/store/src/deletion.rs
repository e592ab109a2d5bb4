//! Deletion requests of those who run a relay: what they name is removed, whoever wrote it.

use event::{Address, Deletion, EventId, EventRef, Filter, may_delete};

use crate::{EventStore, Query, StoreError, Tombstone};

/// Whose request to delete is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requester {
    /// Somebody, who deletes their own events.
    Author,
    /// An owner or admin, who deletes anybody's.
    Operator,
}

/// Removes what a stored or unstored request names, by id, and by address up to its time; what is removed
/// stays refused. Returns how many events were there.
pub async fn carry_out(
    store: &dyn EventStore,
    request: EventRef<'_>,
    requester: Requester,
) -> Result<u64, StoreError> {
    let Deletion { mut ids, mut addresses } = Deletion::of(request).unwrap_or_default();
    match requester {
        Requester::Author => ids = own(store, request, ids).await?,
        // What an operator names need not be there: its id is refused.
        Requester::Operator => {
            addresses = request.tags().values_of("a").filter_map(Address::from_tag).collect();
        }
    }
    let mut removed = 0;
    if !ids.is_empty() {
        removed += store.delete(&ids, Tombstone::Keep).await?;
    }
    if !addresses.is_empty() {
        removed += store.delete_addresses(&addresses, request.created_at()).await?;
    }
    Ok(removed)
}

/// Those of the ids whose events are there, and the author's to delete.
async fn own(
    store: &dyn EventStore,
    request: EventRef<'_>,
    ids: Vec<EventId>,
) -> Result<Vec<EventId>, StoreError> {
    let mut own = Vec::new();
    let mut rows = store.query(Query::by_operator(Filter { ids: Some(ids), ..Filter::default() }));
    while let Some(batch) = rows.next().await? {
        let events = batch.iter().map(|(_, event)| event);
        own.extend(events.filter(|event| may_delete(request, *event)).map(EventRef::id));
    }
    Ok(own)
}
