//! One message in, one message out: what initiator and responder do alike.
//!
//! Follows the peer's ranges from the bottom up. Each bound costs the set one `below` at most, each split fifteen
//! `select`s.

use std::ops::ControlFlow;

use event::EventId;

use crate::message::{IdList, MessageWriter, Payload, Ranges};
use crate::{Bound, Error, Fingerprint, FrameSizeLimit, Item, Set, Summary};

/// How many parts a range is split into.
const BUCKETS: u64 = 16;

/// Ranges with fewer items than this are listed, not split.
const LISTED_BELOW: u64 = 2 * BUCKETS;

/// What one side learns and writes while it reads one message.
pub(crate) struct Round<'s, S: Set + ?Sized> {
    pub(crate) set: &'s S,
    pub(crate) limit: FrameSizeLimit,
    pub(crate) out: MessageWriter,
    /// Ids we have and the peer lacks.
    pub(crate) have: Vec<EventId>,
    /// Ids the peer has and we lack.
    pub(crate) need: Vec<EventId>,
    /// Where the range at hand begins. What lies between the last range written and this is settled.
    pub(crate) lower: Bound,
    /// The last sum asked for.
    last: (Bound, Summary),
    /// The sum of the whole set, once asked for.
    total: Option<Summary>,
}

/// Whether the message can take another range.
pub(crate) type Flow<E> = Result<ControlFlow<()>, Error<E>>;

impl<'s, S: Set + ?Sized> Round<'s, S> {
    pub(crate) fn new(set: &'s S, limit: FrameSizeLimit) -> Self {
        Self {
            set,
            limit,
            out: MessageWriter::default(),
            have: Vec::new(),
            need: Vec::new(),
            lower: Bound::ZERO,
            last: (Bound::ZERO, Summary::EMPTY),
            total: None,
        }
    }

    /// Goes through the ranges; `listed` deals with those that carry ids.
    pub(crate) fn read(
        &mut self,
        body: &[u8],
        mut listed: impl FnMut(&mut Self, Bound, IdList<'_>) -> Flow<S::Error>,
    ) -> Result<(), Error<S::Error>> {
        for range in Ranges::new(body) {
            let range = range?;
            let flow = match range.payload {
                Payload::Skip => ControlFlow::Continue(()),
                Payload::Fingerprint(theirs) => self.compare(range.upper, theirs)?,
                Payload::IdList(ids) => listed(self, range.upper, ids)?,
            };
            if flow.is_break() {
                break;
            }
            self.lower = range.upper;
        }
        Ok(())
    }

    /// Splits a range whose fingerprint is not ours, or cuts the message before it.
    fn compare(&mut self, upper: Bound, theirs: Fingerprint) -> Flow<S::Error> {
        let (below, whole) = (self.below(self.lower)?, self.below(upper)?);
        if difference(below, whole)?.fingerprint() == theirs {
            return Ok(ControlFlow::Continue(()));
        }
        self.write_skip();
        let mark = self.out.mark();
        self.split(upper, below, whole)?;
        if !self.limit.is_reached(self.out.len()) {
            return Ok(ControlFlow::Continue(()));
        }
        self.out.truncate(mark);
        self.last = (self.lower, below);
        self.cut()
    }

    /// Writes the range from `self.lower` on as a list of ids, or as buckets of equal size.
    pub(crate) fn split(
        &mut self,
        upper: Bound,
        below: Summary,
        whole: Summary,
    ) -> Result<(), Error<S::Error>> {
        let count = difference(below, whole)?.count();
        if count < LISTED_BELOW {
            let mut ids = Vec::new();
            let visit = &mut |item: Item| {
                ids.push(item.id);
                ControlFlow::Continue(())
            };
            self.set.items(&self.lower, &upper, visit).map_err(Error::Set)?;
            self.out.id_list(upper, &ids);
            return Ok(());
        }
        let (size, larger) = (count / BUCKETS, count % BUCKETS);
        let mut start = below;
        for bucket in 1..BUCKETS {
            let rank = below.count() + bucket * size + bucket.min(larger);
            let first = self.set.select(rank).map_err(Error::Set)?.ok_or(Error::InconsistentSet)?;
            let previous = first.previous.ok_or(Error::InconsistentSet)?;
            let bound = Bound::between(&previous, &first.item);
            if bound <= self.out.upper() || bound >= upper {
                return Err(Error::InconsistentSet);
            }
            self.out.fingerprint(bound, &difference(start, first.below)?.fingerprint());
            start = first.below;
        }
        self.out.fingerprint(upper, &difference(start, whole)?.fingerprint());
        Ok(())
    }

    /// Ends a full message with the fingerprint of all that was not written.
    ///
    /// The peer takes that range to begin at the last bound written, whatever was read since.
    pub(crate) fn cut(&mut self) -> Flow<S::Error> {
        let written = self.out.upper();
        if written < Bound::Infinity {
            let rest = difference(self.below(written)?, self.below(Bound::Infinity)?)?;
            self.out.fingerprint(Bound::Infinity, &rest.fingerprint());
        }
        Ok(ControlFlow::Break(()))
    }

    /// Writes that all is settled from the last range written up to the one at hand.
    pub(crate) fn write_skip(&mut self) {
        if self.out.upper() < self.lower {
            self.out.skip(self.lower);
        }
    }

    pub(crate) fn below(&mut self, bound: Bound) -> Result<Summary, Error<S::Error>> {
        match (bound, self.total) {
            _ if self.last.0 == bound => Ok(self.last.1),
            (Bound::Infinity, Some(total)) => Ok(total),
            _ => {
                let sum = self.set.below(&bound).map_err(Error::Set)?;
                self.last = (bound, sum);
                if bound == Bound::Infinity {
                    self.total = Some(sum);
                }
                Ok(sum)
            }
        }
    }
}

fn difference<E>(below: Summary, whole: Summary) -> Result<Summary, Error<E>> {
    if whole.count() < below.count() { Err(Error::InconsistentSet) } else { Ok(whole - below) }
}
