//! A set in memory: for filters that no summary tree answers, for clients, and for tests.

use std::convert::Infallible;
use std::ops::ControlFlow;

use event::Timestamp;

use crate::{Bound, Item, Selected, Set, Summary};

/// How many items share one stored prefix sum.
const BLOCK: usize = 32;

/// Items sorted once, with prefix sums, never changed after.
#[derive(Clone, Debug, Default)]
pub struct SortedVec {
    items: Vec<Item>,
    /// The summary of all items before each block.
    before_block: Vec<Summary>,
}

impl SortedVec {
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items, ascending.
    pub fn as_slice(&self) -> &[Item] {
        &self.items
    }

    fn rank(&self, bound: &Bound) -> usize {
        self.items.partition_point(|item| bound.is_above(item))
    }

    fn below_rank(&self, rank: usize) -> Summary {
        let block = rank / BLOCK;
        let mut summary = self.before_block.get(block).copied().unwrap_or(Summary::EMPTY);
        for item in &self.items[block * BLOCK..rank] {
            summary.insert(&item.id);
        }
        summary
    }
}

/// Sorts, drops duplicates, and leaves out items at the reserved time `u64::MAX`.
impl From<Vec<Item>> for SortedVec {
    fn from(mut items: Vec<Item>) -> Self {
        items.retain(|item| item.created_at < Timestamp::from_secs(u64::MAX));
        items.sort_unstable();
        items.dedup();
        let mut before_block = Vec::with_capacity(items.len() / BLOCK + 1);
        let mut summary = Summary::EMPTY;
        before_block.push(summary);
        for block in items.chunks_exact(BLOCK) {
            for item in block {
                summary.insert(&item.id);
            }
            before_block.push(summary);
        }
        Self { items, before_block }
    }
}

impl FromIterator<Item> for SortedVec {
    fn from_iter<I: IntoIterator<Item = Item>>(items: I) -> Self {
        Self::from(items.into_iter().collect::<Vec<_>>())
    }
}

impl Set for SortedVec {
    type Error = Infallible;

    fn below(&self, bound: &Bound) -> Result<Summary, Infallible> {
        Ok(self.below_rank(self.rank(bound)))
    }

    fn select(&self, rank: u64) -> Result<Option<Selected>, Infallible> {
        let Ok(rank) = usize::try_from(rank) else { return Ok(None) };
        let Some(item) = self.items.get(rank) else { return Ok(None) };
        let previous = rank.checked_sub(1).map(|before| self.items[before]);
        Ok(Some(Selected { previous, item: *item, below: self.below_rank(rank) }))
    }

    fn items(
        &self,
        lower: &Bound,
        upper: &Bound,
        visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Result<(), Infallible> {
        for item in self.items[self.rank(lower)..].iter().take_while(|item| upper.is_above(item)) {
            if visit(*item).is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::EventId;
    use proptest::prelude::*;

    fn sets() -> impl Strategy<Value = SortedVec> {
        let item = (0..50u64, any::<u16>()).prop_map(|(secs, number)| {
            let mut id = [0; 32];
            id[..2].copy_from_slice(&number.to_be_bytes());
            Item { created_at: Timestamp::from_secs(secs), id: EventId::new(id) }
        });
        proptest::collection::vec(item, 0..200).prop_map(SortedVec::from)
    }

    fn sum(items: &[Item]) -> Summary {
        items.iter().fold(Summary::EMPTY, |sum, item| sum + Summary::from(&item.id))
    }

    #[test]
    fn duplicates_and_the_reserved_time_are_left_out() {
        let at = |secs| Item { created_at: Timestamp::from_secs(secs), id: EventId::new([7; 32]) };
        let set = SortedVec::from_iter([at(u64::MAX), at(3), at(1), at(3)]);
        assert_eq!(set.as_slice(), [at(1), at(3)]);
    }

    proptest! {
        #[test]
        fn sums_and_ranks_are_those_of_a_walk(set in sets()) {
            let items = set.as_slice();
            prop_assert_eq!(set.below(&Bound::Infinity), Ok(sum(items)));
            for (rank, item) in items.iter().enumerate() {
                let below = sum(&items[..rank]);
                prop_assert_eq!(set.below(&Bound::Before(*item)), Ok(below));
                let previous = rank.checked_sub(1).map(|rank| items[rank]);
                let selected = Selected { previous, item: *item, below };
                prop_assert_eq!(set.select(rank as u64), Ok(Some(selected)));
            }
            prop_assert_eq!(set.select(items.len() as u64), Ok(None));
        }

        #[test]
        fn a_visit_stays_in_its_range_and_ends_when_told(set in sets(), low in 0..50u64, high in 0..50u64, most in 0..9usize) {
            let bound = |secs| Bound::new(Timestamp::from_secs(secs), &[]).unwrap();
            let (lower, upper) = (bound(low), bound(high));
            let expected: Vec<Item> =
                set.as_slice().iter().filter(|item| !lower.is_above(item) && upper.is_above(item)).copied().collect();
            let mut seen = Vec::new();
            let Ok(()) = set.items(&lower, &upper, &mut |item| {
                seen.push(item);
                if seen.len() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            prop_assert_eq!(&seen[..], &expected[..expected.len().min(most + 1)]);
        }
    }
}
