//! What stored events bring about besides: what operators say by them is done, and gift wraps go that are
//! for whoever wants them deleted.

use event::{Deletion, EventRef, Filter, Kind};
use store::{EventStore, Query, Requester, SaveOutcome, StoreError, Tombstone, carry_out};

use super::{Stage, Submission};

/// Kinds by which owners and admins tell access control something: follow lists, relay lists,
/// application data.
const OF_OPERATORS: [Kind; 3] = [Kind::new(3), Kind::new(10_002), Kind::new(30_078)];

/// Heeds the events of a batch that were stored.
pub(super) async fn heed(stage: &Stage, batch: &[Submission], outcomes: &[SaveOutcome]) {
    for (submission, outcome) in batch.iter().zip(outcomes) {
        let event = submission.event.as_ref();
        let is_deletion = event.kind() == Kind::DELETION;
        if !matches!(outcome, SaveOutcome::Stored(_))
            || !(is_deletion || OF_OPERATORS.contains(&event.kind()))
        {
            continue;
        }
        let is_operator = stage.operators.contains(&event.pubkey());
        let done = match (is_deletion, is_operator) {
            // Whoever wrote what it names.
            (true, true) => carry_out(&*stage.store, event, Requester::Operator).await,
            (true, false) => delete_gift_wraps(&*stage.store, event).await,
            (false, true) => {
                stage.access.on_stored(event).await;
                continue;
            }
            (false, false) => continue,
        };
        if let Err(error) = done {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "delete what a request names");
        }
    }
}

/// Removes the gift wraps that a request names and that are for its author (NIP-59): who signed them threw
/// the key away, and could not ask.
async fn delete_gift_wraps(
    store: &dyn EventStore,
    request: EventRef<'_>,
) -> Result<u64, StoreError> {
    let gift_wrap = Kind::GIFT_WRAP.to_string();
    let mut kinds = request.tags().values_of("k").peekable();
    let may_be_meant = kinds.peek().is_none() || kinds.any(|kind| kind == gift_wrap);
    let mut ids = Deletion::of(request).unwrap_or_default().ids;
    if ids.is_empty() || !may_be_meant {
        return Ok(0);
    }
    ids.sort_unstable();
    ids.dedup();
    let filter = Filter {
        ids: Some(ids),
        kinds: Some(vec![Kind::GIFT_WRAP]),
        tags: [(b'p', vec![request.pubkey().to_string().into()])].into(),
        ..Filter::default()
    };
    let mut rows = store.query(Query::by_operator(filter));
    let mut found = Vec::new();
    while let Some(batch) = rows.next().await? {
        found.extend(batch.iter().map(|(_, event)| event.id()));
    }
    if found.is_empty() { Ok(0) } else { store.delete(&found, Tombstone::Keep).await }
}
