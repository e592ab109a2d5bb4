//! What reconciliation asks of a store.

use std::ops::ControlFlow;

use crate::{Bound, Item, Summary};

/// An ordered set of items that does not change while one message is answered.
///
/// `below` and `select` are called some dozens of times a message and should cost the logarithm of the set.
pub trait Set {
    /// Why reading fails.
    type Error;

    /// Count and sum of all items below the bound, of all there are for [`Bound::Infinity`].
    fn below(&self, bound: &Bound) -> Result<Summary, Self::Error>;

    /// The item that has `rank` items below it, and what lies below it; `None` from the size of the set on.
    fn select(&self, rank: u64) -> Result<Option<Selected>, Self::Error>;

    /// Shows the items from `lower` up to but not at `upper`, ascending, until `visit` breaks off.
    fn items(
        &self,
        lower: &Bound,
        upper: &Bound,
        visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Result<(), Self::Error>;
}

/// An item found by its rank, with what a descent to it passes by anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selected {
    /// The item right below; `None` at rank 0.
    pub previous: Option<Item>,
    /// The item itself.
    pub item: Item,
    /// Count and sum of all items below it; the count is the rank.
    pub below: Summary,
}
