//! Deletion requests of those who run a relay: what they name is removed, whoever wrote it.

use event::{Address, Deletion, EventId, EventRef, Filter, KindClass, may_delete};

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
    let targets = targets(store, request, requester).await?;
    if targets.is_empty() { Ok(0) } else { store.delete(&targets, Tombstone::Keep).await }
}

/// What a request names that may be deleted. An operator's need not be there: its id is refused.
async fn targets(
    store: &dyn EventStore,
    request: EventRef<'_>,
    requester: Requester,
) -> Result<Vec<EventId>, StoreError> {
    let is_operator = requester == Requester::Operator;
    let mut ids = Deletion::of(request).unwrap_or_default().ids;
    ids.sort_unstable();
    ids.dedup();
    let addresses = request.tags().values_of("a").filter_map(Address::from_tag);
    let addresses: Vec<Address> =
        addresses.filter(|address| is_operator || address.pubkey == request.pubkey()).collect();
    let mut filters: Vec<Filter> =
        addresses.iter().map(|address| at(address, request.created_at())).collect();
    let mut targets = Vec::new();
    match requester {
        Requester::Operator => targets.clone_from(&ids),
        Requester::Author => {
            filters.push(Filter { ids: Some(ids.clone()), ..Filter::default() });
        }
    }
    let mut rows = store.query(Query { filters, ..Query::by_operator(Filter::default()) });
    while let Some(batch) = rows.next().await? {
        let named = batch.iter().map(|(_, event)| event).filter(|event| {
            let is_named = ids.binary_search(&event.id()).is_ok()
                || Address::of(*event).is_some_and(|address| addresses.contains(&address));
            is_named && (is_operator || may_delete(request, *event))
        });
        targets.extend(named.map(EventRef::id));
    }
    Ok(targets)
}

/// Asks for what stands at an address. With an empty `d` it finds more: an event need not have the tag.
fn at(address: &Address, until: event::Timestamp) -> Filter {
    let tags = match address.kind.class() {
        KindClass::Addressable if !address.d.is_empty() => [(b'd', vec![address.d.clone()])].into(),
        _ => Default::default(),
    };
    Filter {
        kinds: Some(vec![address.kind]),
        authors: Some(vec![address.pubkey]),
        tags,
        until: Some(until),
        ..Filter::default()
    }
}
