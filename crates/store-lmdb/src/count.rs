//! Counting (NIP-45): kinds and times by the summary trees, all else by scanning.

use std::collections::HashSet;

use event::{EventId, Filter, Kind, Timestamp};
use heed::RoTxn;
use reconcile::{Bound, Item};
use store::{Query, Serial, Viewer};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::keys::{Posting, oldest_first};
use crate::plan::Plan;
use crate::query::time_range;
use crate::scan::{Merge, Position, TimeRange, narrowest};
use crate::summary::{TreeId, below};

/// Counts what matches and may be seen; what several filters find counts once.
pub(crate) fn count(lmdb: &Lmdb, txn: &RoTxn<'_>, query: &Query) -> Result<u64, LmdbError> {
    let now = Timestamp::now();
    if let [filter] = &query.filters[..]
        && filter.is_kinds_and_time()
        && lmdb.options.keep_summaries
        && !is_expiry_due(lmdb, txn, now)?
    {
        return count_by_trees(lmdb, txn, filter, &query.viewer, now);
    }
    let mut seen = HashSet::new();
    for filter in &query.filters {
        scan(lmdb, txn, filter, &query.viewer, now, &mut seen)?;
    }
    Ok(seen.len() as u64)
}

/// Whether something expired that was not removed yet.
fn is_expiry_due(lmdb: &Lmdb, txn: &RoTxn<'_>, now: Timestamp) -> Result<bool, LmdbError> {
    let first = lmdb.tables.by_expiration.first(txn)?;
    Ok(first.is_some_and(|(key, _)| key[..5] <= oldest_first(now)[..]))
}

fn count_by_trees(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    viewer: &Viewer,
    now: Timestamp,
) -> Result<u64, LmdbError> {
    if filter.is_empty() {
        return Ok(0);
    }
    let range = time_range(filter);
    let tree = |tree| count_tree(lmdb, txn, tree, range);
    let hidden: Vec<Kind> = match &filter.kinds {
        Some(kinds) => kinds.iter().copied().filter(|kind| viewer.is_restricted(*kind)).collect(),
        None => Kind::PRIVATE.into_iter().filter(|kind| viewer.is_restricted(*kind)).collect(),
    };
    let mut total = 0;
    match &filter.kinds {
        Some(kinds) => {
            for &kind in kinds.iter().filter(|kind| !viewer.is_restricted(**kind)) {
                total += tree(TreeId::Kind(kind))?;
            }
        }
        None => {
            total = tree(TreeId::All)?;
            for &kind in &hidden {
                total -= tree(TreeId::Kind(kind))?;
            }
        }
    }
    let mut own = HashSet::new();
    for filter in own_private(filter, viewer, hidden) {
        scan(lmdb, txn, &filter, viewer, now, &mut own)?;
    }
    Ok(total + own.len() as u64)
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

fn count_tree(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    tree: TreeId,
    range: TimeRange,
) -> Result<u64, LmdbError> {
    let start = |secs| {
        Bound::Before(Item { created_at: Timestamp::from_secs(secs), id: EventId::new([0; 32]) })
    };
    let end = if range.until >= Timestamp::MAX {
        Bound::Infinity
    } else {
        start(range.until.as_secs() + 1)
    };
    let upper = below(&lmdb.tables, txn, tree, &end)?;
    let lower = below(&lmdb.tables, txn, tree, &start(range.since.as_secs()))?;
    Ok(upper.count().saturating_sub(lower.count()))
}

fn scan(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    viewer: &Viewer,
    now: Timestamp,
    seen: &mut HashSet<Serial>,
) -> Result<(), LmdbError> {
    let mut show = |serial| {
        let Some(event) = lmdb.tables.event(txn, serial)? else { return Ok(()) };
        if filter.matches(event) && viewer.may_see(event) && !event.is_expired(now) {
            seen.insert(serial);
        }
        Ok::<_, LmdbError>(())
    };
    match Plan::for_filter(filter, &lmdb.tables) {
        Plan::Nothing => {}
        Plan::Ids(ids) => {
            for id in &ids {
                if let Some(serial) = lmdb.tables.serial_of(txn, id)? {
                    show(serial)?;
                }
            }
        }
        Plan::Scans(ways) => {
            let range = time_range(filter);
            let scans = narrowest(ways, txn, range)?;
            let mut positions: Vec<Position> = scans.into_iter().map(Position::start).collect();
            let mut merge = Merge::open(&mut positions, txn, range)?;
            while let Some(posting) = merge.next()?.map(Posting::serial) {
                show(posting)?;
            }
        }
    }
    Ok(())
}
