//! Several index runs read as one, newest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Bound;

use event::{Kind, Timestamp};
use heed::types::Bytes;
use heed::{RoRange, RoTxn};

use crate::LmdbError;
use crate::keys::{Posting, newest_first};
use crate::plan::{Layout, Scan};

/// How many entries tell two ways of scanning apart.
const PROBE: usize = 256;

/// The time range of a filter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeRange {
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

impl TimeRange {
    fn contains(self, at: Timestamp) -> bool {
        self.since <= at && at <= self.until
    }
}

impl Scan {
    fn posting(&self, key: &[u8], value: &[u8]) -> Result<Posting, LmdbError> {
        let posting = match self.layout {
            Layout::Posting | Layout::KindPosting => Posting::from_key(key),
            Layout::Item => Posting::from_item(key, value),
        };
        posting.ok_or(LmdbError::Damaged("an index entry"))
    }
}

/// A run and how far it was read.
pub(crate) struct Position {
    scan: Scan,
    /// The last key that was read, if any.
    after: Option<Box<[u8]>>,
    done: bool,
}

impl Position {
    pub(crate) fn start(scan: Scan) -> Self {
        Self { scan, after: None, done: false }
    }
}

/// Index runs opened on one snapshot.
pub(crate) struct Merge<'p, 't> {
    positions: &'p mut [Position],
    runs: Vec<Option<RoRange<'t, Bytes, Bytes>>>,
    heap: BinaryHeap<Reverse<(Posting, usize)>>,
    /// The key behind each posting on the heap: where its run is to go on.
    heads: Vec<Option<&'t [u8]>>,
}

impl<'p, 't> Merge<'p, 't> {
    pub(crate) fn open(
        positions: &'p mut [Position],
        txn: &'t RoTxn<'_>,
        range: TimeRange,
    ) -> Result<Self, LmdbError> {
        let count = positions.len();
        let mut merge = Self {
            positions,
            runs: Vec::with_capacity(count),
            heap: BinaryHeap::with_capacity(count),
            heads: vec![None; count],
        };
        for at in 0..count {
            let position = &merge.positions[at];
            let run = if position.done { None } else { Some(open(position, txn, range)?) };
            merge.runs.push(run);
            merge.advance(at)?;
        }
        Ok(merge)
    }

    /// The next posting; all runs that found it go on, so that it is given once, even if reading
    /// stops here and starts again.
    pub(crate) fn next(&mut self) -> Result<Option<Posting>, LmdbError> {
        let Some(&Reverse((posting, _))) = self.heap.peek() else { return Ok(None) };
        while let Some(&Reverse((same, at))) = self.heap.peek()
            && same == posting
        {
            self.heap.pop();
            if let Some(key) = self.heads[at].take() {
                self.positions[at].after = Some(key.into());
            }
            self.advance(at)?;
        }
        Ok(Some(posting))
    }

    fn advance(&mut self, at: usize) -> Result<(), LmdbError> {
        let Some(run) = &mut self.runs[at] else { return Ok(()) };
        let Some((key, value)) = run.next().transpose()? else {
            self.positions[at].done = true;
            self.runs[at] = None;
            return Ok(());
        };
        let posting = self.positions[at].scan.posting(key, value)?;
        self.heads[at] = Some(key);
        self.heap.push(Reverse((posting, at)));
        Ok(())
    }
}

/// Takes runs of several kinds apart, into one for each kind that is stored and may be asked for.
pub(crate) fn split(
    scans: Vec<Scan>,
    txn: &RoTxn<'_>,
    asked: Option<&[Kind]>,
) -> Result<Vec<Scan>, LmdbError> {
    let mut runs = Vec::with_capacity(scans.len());
    for scan in scans {
        if scan.layout != Layout::KindPosting {
            runs.push(scan);
            continue;
        }
        let Scan { table, prefix, .. } = scan;
        let mut next = Some(0u16);
        while let Some(kind) = next {
            let from = [&prefix[..], &kind.to_be_bytes()].concat();
            let found = table.get_greater_than_or_equal_to(txn, &from)?;
            let rest = found.and_then(|(key, _)| key.strip_prefix(&prefix[..]));
            let Some(&kind) = rest.and_then(|rest| rest.first_chunk()) else { break };
            let number = u16::from_be_bytes(kind);
            if asked.is_none_or(|asked| asked.binary_search(&Kind::new(number)).is_ok()) {
                let prefix = [&prefix[..], &kind].concat().into();
                runs.push(Scan { table, layout: Layout::Posting, prefix });
            }
            next = number.checked_add(1);
        }
    }
    Ok(runs)
}

/// All that the runs find, in order of serial.
pub(crate) fn postings(
    scans: Vec<Scan>,
    txn: &RoTxn<'_>,
    range: TimeRange,
) -> Result<Vec<Posting>, LmdbError> {
    let mut postings = Vec::new();
    for position in scans.into_iter().map(Position::start) {
        let is_mixed = position.scan.layout == Layout::KindPosting;
        for entry in open(&position, txn, range)? {
            let (key, value) = entry?;
            let posting = position.scan.posting(key, value)?;
            if !is_mixed || range.contains(posting.created_at()) {
                postings.push(posting);
            }
        }
    }
    postings.sort_unstable_by_key(|posting| posting.serial());
    postings.dedup();
    Ok(postings)
}

fn open<'t>(
    position: &Position,
    txn: &'t RoTxn<'_>,
    range: TimeRange,
) -> Result<RoRange<'t, Bytes, Bytes>, LmdbError> {
    let prefix = &position.scan.prefix;
    let (first, end) = match position.scan.layout {
        // Each kind has its own times.
        Layout::KindPosting => (prefix.to_vec(), [&prefix[..], &[0xff; 16]].concat()),
        Layout::Posting | Layout::Item => (
            [&prefix[..], &newest_first(range.until)].concat(),
            [&prefix[..], &newest_first(range.since), &[0xff; 33]].concat(),
        ),
    };
    let start = match &position.after {
        Some(key) => Bound::Excluded(&key[..]),
        None => Bound::Included(&first[..]),
    };
    Ok(position.scan.table.range(txn, &(start, Bound::Included(&end[..])))?)
}

/// The way to scan that has the fewest entries, as far as a short look tells.
pub(crate) fn narrowest(
    mut ways: Vec<Vec<Scan>>,
    txn: &RoTxn<'_>,
    range: TimeRange,
) -> Result<Vec<Scan>, LmdbError> {
    let mut best = ways.pop().unwrap_or_default();
    let mut fewest = None;
    while let Some(way) = ways.pop() {
        let most = match fewest {
            Some(count) => count,
            None => length(&best, txn, range, PROBE)?,
        };
        let count = length(&way, txn, range, most)?;
        fewest = Some(most.min(count));
        if count < most {
            best = way;
        }
    }
    Ok(best)
}

fn length(
    scans: &[Scan],
    txn: &RoTxn<'_>,
    range: TimeRange,
    most: usize,
) -> Result<usize, LmdbError> {
    let mut count = 0;
    for scan in scans {
        // Opening a run costs as much as reading a few entries.
        count += 4;
        for entry in open(&Position::start(scan.clone()), txn, range)? {
            entry?;
            count += 1;
            if count >= most {
                return Ok(most);
            }
        }
    }
    Ok(count)
}
