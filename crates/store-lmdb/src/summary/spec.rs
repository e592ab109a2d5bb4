//! Which trees make up what a query would serve.

use event::{EventId, Filter, Kind, Timestamp};
use heed::RoTxn;
use reconcile::{Bound, Item, SortedVec};
use store::{Private, Viewer};

use super::TreeId;
use crate::LmdbError;
use crate::env::Lmdb;
use crate::heads::Heads;
use crate::matches::for_each;
use crate::plan::{Layout, Scan};
use crate::query::time_range;
use crate::scan::{TimeRange, postings};
use crate::tables::Tables;

/// Which items are in a set.
#[derive(Clone, Debug)]
pub(crate) struct TreeSpec {
    /// Trees whose items are in it; they share none.
    pub(crate) plus: Vec<TreeId>,
    /// Trees whose items, all of them in `plus`, are not in it.
    pub(crate) minus: Vec<TreeId>,
    /// Items that are in it besides, none of them in the above.
    pub(crate) extra: SortedVec,
    /// Whose items are not in it besides, as far as authors are hidden from them.
    pub(crate) viewer: Viewer,
    /// The times of its items.
    pub(crate) range: TimeRange,
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
        for_each(lmdb, txn, &filter, viewer, |found| {
            own.push(found.item);
            true
        })?;
    }
    let range = time_range(filter);
    let lower = start_of(range.since.as_secs());
    let upper = match range.until.as_secs() {
        secs if secs < Timestamp::MAX.as_secs() => start_of(secs + 1),
        _ => Bound::Infinity,
    };
    let viewer = viewer.clone();
    Ok(Some(TreeSpec { plus, minus, extra: own.into(), viewer, range, lower, upper }))
}

impl TreeSpec {
    /// The items of its trees whose authors are hidden from the viewer now.
    pub(super) fn hidden(&self, tables: &Tables, txn: &RoTxn<'_>) -> Result<SortedVec, LmdbError> {
        let mut items = Vec::new();
        let mut heads = Heads::new(tables, txn);
        for author in tables.hidden_from(txn, &self.viewer)?.iter() {
            let scan = Scan {
                table: tables.by_author_kind,
                layout: Layout::KindPosting,
                prefix: tables.hash_key.author(&author).into(),
            };
            for posting in postings(vec![scan], txn, self.range)? {
                let head = heads.get(posting.serial())?;
                if let Some(head) = head.filter(|head| self.has(head.kind)) {
                    items.push(Item { created_at: posting.created_at(), id: head.id });
                }
            }
        }
        Ok(items.into())
    }

    /// Whether events of a kind are in its trees.
    fn has(&self, kind: Kind) -> bool {
        let is_in = |trees: &[TreeId]| trees.contains(&TreeId::Kind(kind));
        is_in(&self.plus) || (self.plus.contains(&TreeId::All) && !is_in(&self.minus))
    }
}

/// What to ask for the private events of a viewer.
fn own_private(filter: &Filter, viewer: &Viewer, hidden: Vec<Kind>) -> Vec<Filter> {
    let Private::Of(pubkeys) = &viewer.private else { return Vec::new() };
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
