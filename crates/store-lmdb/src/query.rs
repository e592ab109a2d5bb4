//! Answering a query in batches, each on a snapshot of its own.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use event::{EventId, EventRef, Filter, Timestamp};
use heed::RoTxn;
use store::{EventBatch, HiddenAuthors, Query, Rows, Serial, StoreError, Viewer};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::keys::Posting;
use crate::plan::Plan;
use crate::scan::{Merge, Position, TimeRange, narrowest, split};

/// The first batch ends when it has this many bytes of events: while its reader sends it, the client is
/// at work already.
const BATCH_BYTES: usize = 32 << 10;
/// Batches of a long answer grow up to this many.
const LATER_BATCH_BYTES: usize = 128 << 10;
/// Opening an index run again costs as much as reading this many bytes of events: batches from many
/// runs are larger.
const RUN_BYTES: usize = 2 << 10;
/// The largest batch.
const MOST_BATCH_BYTES: usize = 1 << 20;
/// A batch ends when this many index entries were looked at, so that other tasks get their turn.
const BATCH_STEPS: usize = 8192;

/// A query under way.
pub(crate) struct LmdbRows {
    lmdb: Arc<Lmdb>,
    viewer: Viewer,
    filters: std::vec::IntoIter<Filter>,
    current: Option<Run>,
    /// How many bytes the last batch had.
    last_bytes: usize,
    /// What was given already, kept when a later filter may find it again.
    given: Option<HashSet<Serial>>,
}

/// One filter under way.
struct Run {
    filter: Filter,
    left: u64,
    state: State,
}

enum State {
    Planned(Plan),
    Ids(std::vec::IntoIter<Serial>),
    Scanning(Vec<Position>),
}

/// Where the events of a batch go.
struct Sink<'a> {
    batch: &'a mut EventBatch,
    given: Option<&'a mut HashSet<Serial>>,
    viewer: &'a Viewer,
    hidden: HiddenAuthors<&'a [u8]>,
    now: Timestamp,
    bytes: usize,
    steps: usize,
}

impl LmdbRows {
    pub(crate) fn new(lmdb: Arc<Lmdb>, query: Query) -> Self {
        let given = (query.filters.len() > 1).then(HashSet::new);
        Self {
            lmdb,
            viewer: query.viewer,
            filters: query.filters.into_iter(),
            current: None,
            last_bytes: 0,
            given,
        }
    }

    /// Gathers the next batch; it may be empty though more is to come.
    fn batch(&mut self) -> Result<Option<EventBatch>, LmdbError> {
        let lmdb = Arc::clone(&self.lmdb);
        let bytes = (2 * self.last_bytes).clamp(BATCH_BYTES, LATER_BATCH_BYTES);
        // Most answers are short.
        let mut batch = EventBatch::with_capacity(if self.last_bytes > 0 { bytes } else { 0 });
        let ended = lmdb.read(|txn| {
            let mut sink = Sink {
                batch: &mut batch,
                given: self.given.as_mut(),
                viewer: &self.viewer,
                hidden: lmdb.tables.hidden_from(txn, &self.viewer)?,
                now: Timestamp::now(),
                bytes,
                steps: BATCH_STEPS,
            };
            loop {
                let run = match &mut self.current {
                    Some(run) => run,
                    empty => match self.filters.next() {
                        Some(filter) => empty.insert(Run::new(filter, &lmdb)),
                        None => return Ok(true),
                    },
                };
                if !run.advance(&lmdb, txn, &mut sink)? {
                    return Ok(false);
                }
                self.current = None;
            }
        })?;
        self.last_bytes = batch.byte_len();
        Ok(if ended && batch.is_empty() { None } else { Some(batch) })
    }
}

#[async_trait]
impl Rows for LmdbRows {
    async fn next(&mut self) -> Result<Option<EventBatch>, StoreError> {
        loop {
            match self.batch()? {
                Some(batch) if batch.is_empty() => tokio::task::yield_now().await,
                result => return Ok(result),
            }
        }
    }
}

impl Run {
    fn new(filter: Filter, lmdb: &Lmdb) -> Self {
        let plan = Plan::for_filter(&filter, &lmdb.tables);
        Self { left: filter.limit.unwrap_or(u64::MAX), filter, state: State::Planned(plan) }
    }

    /// Goes on until the run ends (`true`) or the batch is full (`false`).
    fn advance(
        &mut self,
        lmdb: &Lmdb,
        txn: &RoTxn<'_>,
        sink: &mut Sink<'_>,
    ) -> Result<bool, LmdbError> {
        let range = time_range(&self.filter);
        if self.left == 0 {
            return Ok(true);
        }
        if let State::Planned(plan) = &mut self.state {
            self.state = match std::mem::replace(plan, Plan::Nothing) {
                Plan::Nothing => return Ok(true),
                Plan::Ids(ids) => State::Ids(in_order(lmdb, txn, &ids)?.into_iter()),
                Plan::Scans(ways) => {
                    let scans = narrowest(ways, txn, range)?;
                    let scans = split(scans, txn, self.filter.kinds.as_deref())?;
                    State::Scanning(scans.into_iter().map(Position::start).collect())
                }
            };
        }
        let (filter, left) = (&self.filter, &mut self.left);
        match &mut self.state {
            State::Planned(_) => Ok(true),
            State::Ids(serials) => drain(|| Ok(serials.next()), lmdb, txn, filter, left, sink),
            State::Scanning(positions) => {
                sink.bytes = sink.bytes.max(positions.len() * RUN_BYTES).min(MOST_BATCH_BYTES);
                let mut merge = Merge::open(positions, txn, range)?;
                drain(|| Ok(merge.next()?.map(Posting::serial)), lmdb, txn, filter, left, sink)
            }
        }
    }
}

/// Moves matching events to the sink until there are no more (`true`) or it is full (`false`).
fn drain(
    mut next: impl FnMut() -> Result<Option<Serial>, LmdbError>,
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    left: &mut u64,
    sink: &mut Sink<'_>,
) -> Result<bool, LmdbError> {
    let is_exact = Plan::is_exact(filter);
    let is_match = |event: EventRef<'_>| match &filter.kinds {
        _ if !is_exact => filter.matches(event),
        Some(kinds) => kinds.binary_search(&event.kind()).is_ok(),
        None => true,
    };
    while *left > 0 {
        if sink.is_full() {
            return Ok(false);
        }
        let Some(serial) = next()? else { return Ok(true) };
        // It may have been deleted since its id was looked up.
        let Some(event) = lmdb.tables.event(txn, serial)? else { continue };
        if is_match(event) && sink.take(serial, event) {
            *left -= 1;
        }
    }
    Ok(true)
}

impl Sink<'_> {
    fn is_full(&mut self) -> bool {
        let is_full = self.steps == 0 || self.batch.byte_len() >= self.bytes;
        self.steps = self.steps.saturating_sub(1);
        is_full
    }

    /// Takes an event if the viewer may see it; one that an earlier filter gave counts, but is not given again.
    fn take(&mut self, serial: Serial, event: EventRef<'_>) -> bool {
        let wanted = self.viewer.may_see(event, &self.hidden) && !event.is_expired(self.now);
        if wanted && self.given.as_mut().is_none_or(|given| given.insert(serial)) {
            self.batch.push(serial, event);
        }
        wanted
    }
}

/// Looks ids up; newest first, the lower id first in the same second.
fn in_order(lmdb: &Lmdb, txn: &RoTxn<'_>, ids: &[EventId]) -> Result<Vec<Serial>, LmdbError> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some(serial) = lmdb.tables.serial_of(txn, id)?
            && let Some(event) = lmdb.tables.event(txn, serial)?
        {
            found.push((Reverse(event.created_at()), *id, serial));
        }
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(.., serial)| serial).collect())
}

/// The time range of a filter.
pub(crate) fn time_range(filter: &Filter) -> TimeRange {
    TimeRange {
        since: filter.since.unwrap_or_default(),
        until: filter.until.unwrap_or(Timestamp::MAX),
    }
}
