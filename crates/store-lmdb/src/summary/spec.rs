//! Which trees make up what a query would serve.

use event::{EventId, Filter, Kind, Timestamp};
use heed::RoTxn;
use reconcile::{Bound, Item, SortedVec};
use store::Viewer;

use super::TreeId;
use crate::LmdbError;
use crate::env::Lmdb;
use crate::matches::for_each;
use crate::query::time_range;

/// Which items are in a set.
#[derive(Clone, Debug)]
pub(crate) struct TreeSpec {
    /// Trees whose items are in it; they share none.
    pub(crate) plus: Vec<TreeId>,
    /// Trees whose items, all of them in `plus`, are not in it.
    pub(crate) minus: Vec<TreeId>,
    /// Items that are in it besides, none of them in the above.
    pub(crate) extra: SortedVec,
    /// Only items from here…
    pub(crate) lower: Bound,
    /// …up to here.
    pub(crate) upper: Bound,
}

/// The trees for a filter of kinds and times; `None` for any other.
pub(crate) fn tree_spec(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    viewer: &Viewer,
) -> Result<Option<TreeSpec>, LmdbError> {
    if !filter.is_kinds_and_time() || filter.is_empty() {
        return Ok(None);
    }
    let (mut plus, mut minus) = (Vec::new(), Vec::new());
    let mut hidden: Vec<Kind> = filter.kinds.clone().unwrap_or_else(|| Kind::PRIVATE.to_vec());
    hidden.retain(|kind| viewer.is_restricted(*kind));
    match &filter.kinds {
        Some(kinds) => {
            plus.extend(
                kinds.iter().filter(|kind| !hidden.contains(kind)).copied().map(TreeId::Kind),
            );
        }
        None => {
            plus.push(TreeId::All);
            minus.extend(hidden.iter().copied().map(TreeId::Kind));
        }
    }
    let mut own = Vec::new();
    for filter in own_private(filter, viewer, hidden) {
        for_each(lmdb, txn, &filter, viewer, |_, event| {
            own.push(Item { created_at: event.created_at(), id: event.id() });
            true
        })?;
    }
    let range = time_range(filter);
    let lower = start_of(range.since.as_secs());
    let upper = match range.until.as_secs() {
        secs if secs < Timestamp::MAX.as_secs() => start_of(secs + 1),
        _ => Bound::Infinity,
    };
    Ok(Some(TreeSpec { plus, minus, extra: own.into(), lower, upper }))
}

/// What to ask for the private events of a viewer.
fn own_private(filter: &Filter, viewer: &Viewer, hidden: Vec<Kind>) -> Vec<Filter> {
    let Viewer::Pubkeys(pubkeys) = viewer else { return Vec::new() };
    if pubkeys.is_empty() || hidden.is_empty() {
        return Vec::new();
    }
    let mut sorted = pubkeys.clone();
    sorted.sort_unstable();
    let base = Filter { kinds: Some(hidden), ..filter.clone() };
    let written = Filter { authors: Some(sorted.clone()), ..base.clone() };
    let mut received = base;
    received.tags.insert(b'p', sorted.iter().map(|pubkey| pubkey.to_string().into()).collect());
    vec![written, received]
}

fn start_of(secs: u64) -> Bound {
    Bound::Before(Item { created_at: Timestamp::from_secs(secs), id: EventId::new([0; 32]) })
}
