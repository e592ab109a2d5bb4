//! Sets for reconciliation: by the summary trees where the filter asks for kinds and times alone,
//! else gathered once and shared.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use event::Filter;
use heed::RoTxn;
use parking_lot::Mutex;
use reconcile::{Answer, Bound, FrameSizeLimit, Initiator, Item, Responder, Set, SortedVec, Step};
use store::{GatheredSet, HiddenAuthors, Query, ReconcileError, ReconcileSet, StoreError, Viewer};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::matches::for_each;
use crate::summary::{TreeSet, TreeSpec, tree_spec};

/// A gathered set is shared by those who ask for the same within this time.
const SHARE: Duration = Duration::from_secs(5);

/// Gathered sets that are in use.
#[derive(Default)]
pub(crate) struct GatheredSets(Mutex<Vec<InUse>>);

/// A gathered set while somebody reconciles it.
struct InUse {
    query: Query,
    /// Who was hidden then.
    hidden: HiddenAuthors,
    since: Instant,
    set: Weak<SortedVec>,
}

impl GatheredSets {
    /// A set that was gathered for the same query a moment ago.
    fn shared(&self, query: &Query, hidden: &HiddenAuthors) -> Option<Arc<SortedVec>> {
        let sets = self.0.lock();
        let fresh = sets.iter().filter(|known| known.since.elapsed() < SHARE);
        let mut same = fresh.filter(|known| known.query == *query && known.hidden == *hidden);
        same.find_map(|known| known.set.upgrade())
    }

    /// Takes a set in if all in use stay within `most` items.
    fn take_in(
        &self,
        query: Query,
        hidden: HiddenAuthors,
        set: &Arc<SortedVec>,
        most: u64,
    ) -> Result<(), StoreError> {
        let mut sets = self.0.lock();
        sets.retain(|known| known.set.strong_count() > 0);
        let in_use: usize = sets.iter().filter_map(|known| Some(known.set.upgrade()?.len())).sum();
        if (in_use + set.len()) as u64 > most {
            let text = "too many large sets are being reconciled, try again shortly";
            return Err(StoreError::Unavailable(text.into()));
        }
        sets.push(InUse { query, hidden, since: Instant::now(), set: Arc::downgrade(set) });
        Ok(())
    }
}

/// A set on summary trees; each message sees the store as it is then.
struct OnTrees {
    lmdb: Arc<Lmdb>,
    spec: TreeSpec,
}

/// Opens the set of a query.
pub(crate) fn open(
    lmdb: &Arc<Lmdb>,
    gathered: &GatheredSets,
    query: Query,
    max_records: u64,
) -> Result<Box<dyn ReconcileSet>, ReconcileError> {
    let filter = query.filters.first().cloned().unwrap_or_default();
    let internal = |error: LmdbError| ReconcileError::Store(error.into());
    if lmdb.options.keep_summaries
        && let Some(spec) =
            lmdb.read(|txn| tree_spec(lmdb, txn, &filter, &query.viewer)).map_err(internal)?
    {
        return Ok(Box::new(OnTrees { lmdb: Arc::clone(lmdb), spec }));
    }
    let hidden = lmdb
        .read(|txn| {
            let hidden = lmdb.tables.hidden_from(txn, &query.viewer)?;
            Ok(HiddenAuthors::new(hidden.iter()))
        })
        .map_err(internal)?;
    if let Some(set) = gathered.shared(&query, &hidden) {
        return Ok(Box::new(GatheredSet(set)));
    }
    let items = lmdb
        .read(|txn| gather(lmdb, txn, &filter, &query.viewer, max_records))
        .map_err(internal)?;
    let items = items.ok_or(ReconcileError::TooLarge { max: max_records })?;
    let set = Arc::new(SortedVec::from(items));
    gathered.take_in(query, hidden, &set, lmdb.options.gathered_items)?;
    Ok(Box::new(GatheredSet(set)))
}

/// Reads the items a filter asks for; `None` if there are more than `max`.
fn gather(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    viewer: &Viewer,
    max: u64,
) -> Result<Option<Vec<Item>>, LmdbError> {
    let mut items = Vec::new();
    let mut fits = true;
    for_each(lmdb, txn, filter, viewer, |found| {
        fits = (items.len() as u64) < max;
        if fits {
            items.push(found.item);
        }
        fits
    })?;
    Ok(fits.then_some(items))
}

impl OnTrees {
    /// Runs `work` on the set as it is now.
    fn with<T>(
        &self,
        work: impl FnOnce(&TreeSet<'_, '_>) -> Result<T, reconcile::Error<LmdbError>>,
    ) -> Result<T, ReconcileError> {
        let result = self.lmdb.read(|txn| {
            let set = TreeSet::new(&self.lmdb.tables, txn, &self.spec)?;
            Ok(work(&set))
        });
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => Err(StoreError::from(error).into()),
        }
    }
}

#[async_trait]
impl ReconcileSet for OnTrees {
    async fn count(&self) -> Result<u64, ReconcileError> {
        self.with(|set| Ok(set.below(&Bound::Infinity).map_err(reconcile::Error::Set)?.count()))
    }

    async fn answer(
        &self,
        message: Vec<u8>,
        limit: FrameSizeLimit,
    ) -> Result<Answer, ReconcileError> {
        self.with(|set| Responder::new(limit).answer(set, &message))
    }

    async fn open(
        &self,
        limit: FrameSizeLimit,
        max_rounds: u32,
    ) -> Result<(Initiator, Vec<u8>), ReconcileError> {
        self.with(|set| Initiator::open(set, limit, max_rounds))
    }

    async fn step(
        &self,
        mut initiator: Initiator,
        message: Vec<u8>,
    ) -> Result<(Initiator, Step), ReconcileError> {
        self.with(|set| {
            let step = initiator.step(set, &message)?;
            Ok((initiator, step))
        })
    }
}
