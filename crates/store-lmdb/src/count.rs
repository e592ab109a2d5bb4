//! Counting (NIP-45): kinds and times by the summary trees, all else by looking.

use std::collections::HashSet;

use event::Timestamp;
use heed::RoTxn;
use reconcile::{Bound, Set};
use store::{Query, StoreError};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::keys::oldest_first;
use crate::matches::for_each;
use crate::summary::{TreeSet, tree_spec};

/// Counts by the trees, which takes some microseconds; `None` if they do not know.
pub(crate) fn by_trees(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    query: &Query,
) -> Result<Option<u64>, LmdbError> {
    let [filter] = &query.filters[..] else { return Ok(None) };
    if !lmdb.options.keep_summaries || is_expiry_due(lmdb, txn)? {
        return Ok(None);
    }
    let Some(spec) = tree_spec(lmdb, txn, filter, &query.viewer)? else { return Ok(None) };
    let set = TreeSet::new(&lmdb.tables, txn, &spec)?;
    Ok(Some(set.below(&Bound::Infinity)?.count()))
}

/// Counts by looking at each match; what several filters find counts once.
pub(crate) fn by_looking(lmdb: &Lmdb, txn: &RoTxn<'_>, query: &Query) -> Result<u64, LmdbError> {
    let mut seen = HashSet::new();
    for filter in &query.filters {
        for_each(lmdb, txn, filter, &query.viewer, |found| {
            seen.insert(found.serial);
            true
        })?;
    }
    Ok(seen.len() as u64)
}

/// Whether something expired that was not removed yet.
pub(crate) fn is_expiry_due(lmdb: &Lmdb, txn: &RoTxn<'_>) -> Result<bool, LmdbError> {
    let first = lmdb.tables.by_expiration.first(txn)?;
    Ok(first.is_some_and(|(key, _)| key[..5] <= oldest_first(Timestamp::now())[..]))
}

/// Runs `work` on a snapshot, off the runtime.
pub(crate) async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LmdbError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(StoreError::internal)?;
    Ok(done?)
}
