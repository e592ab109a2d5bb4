//! What is reconciled, and the places between.

use event::{EventId, Timestamp};

/// One member of a set, ordered by time and then by id.
///
/// The time `u64::MAX` stands for infinity on the wire: no item may carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// When the event says it was made.
    pub created_at: Timestamp,
    /// The event's id.
    pub id: EventId,
}

/// A place between items, the end of one range and the start of the next.
///
/// On the wire it is a time and an id cut after its last byte that is not zero. Times come from the peer and may
/// be any number, beyond [`Timestamp::MAX`] too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// Right below this item, whether the set holds it or not.
    Before(Item),
    /// Above every item.
    Infinity,
}

impl Bound {
    /// Below every item.
    pub const ZERO: Self =
        Self::Before(Item { created_at: Timestamp::from_secs(0), id: EventId::new([0; 32]) });

    /// The lowest place of a time and an id prefix; `None` if the prefix is longer than an id.
    pub fn new(created_at: Timestamp, prefix: &[u8]) -> Option<Self> {
        let mut id = [0; EventId::LEN];
        id.get_mut(..prefix.len())?.copy_from_slice(prefix);
        Some(Self::Before(Item { created_at, id: EventId::new(id) }))
    }

    /// The place between two neighbours that takes the fewest bytes to write.
    pub fn between(lower: &Item, upper: &Item) -> Self {
        let mut id = *upper.id.as_bytes();
        let kept = if lower.created_at == upper.created_at {
            let shared = id.iter().zip(lower.id.as_bytes()).take_while(|(a, b)| a == b).count();
            shared + 1
        } else {
            0
        };
        if let Some(rest) = id.get_mut(kept..) {
            rest.fill(0);
        }
        Self::Before(Item { created_at: upper.created_at, id: EventId::new(id) })
    }

    /// Whether this item lies below the bound.
    pub fn is_above(&self, item: &Item) -> bool {
        match self {
            Self::Before(first) => item < first,
            Self::Infinity => true,
        }
    }
}

impl Item {
    /// The id without its trailing zeros, as a bound writes it.
    pub(crate) fn prefix(&self) -> &[u8] {
        let id = self.id.as_bytes();
        let len = id.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        &id[..len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(secs: u64, start: &[u8]) -> Item {
        let mut id = [0x77; 32];
        id[..start.len()].copy_from_slice(start);
        Item { created_at: Timestamp::from_secs(secs), id: EventId::new(id) }
    }

    #[test]
    fn a_bound_between_two_times_needs_no_id() {
        let (lower, upper) = (item(5, &[9]), item(6, &[1]));
        let bound = Bound::between(&lower, &upper);
        assert_eq!(Some(bound), Bound::new(Timestamp::from_secs(6), &[]));
        assert!(bound.is_above(&lower) && !bound.is_above(&upper));
    }

    #[test]
    fn a_bound_within_one_time_keeps_the_shared_bytes_and_one_more() {
        let (lower, upper) = (item(5, &[1, 2, 3]), item(5, &[1, 2, 4]));
        let bound = Bound::between(&lower, &upper);
        assert_eq!(Some(bound), Bound::new(Timestamp::from_secs(5), &[1, 2, 4]));
        assert!(bound.is_above(&lower) && !bound.is_above(&upper));
    }

    #[test]
    fn ids_that_differ_in_the_last_byte_are_told_apart() {
        let (mut low, mut high) = ([7; 32], [7; 32]);
        (low[31], high[31]) = (1, 2);
        let at = |id| Item { created_at: Timestamp::from_secs(5), id: EventId::new(id) };
        assert_eq!(Bound::between(&at(low), &at(high)), Bound::Before(at(high)));
    }

    #[test]
    fn a_prefix_longer_than_an_id_is_refused() {
        assert!(Bound::new(Timestamp::from_secs(5), &[1; 32]).is_some());
        assert_eq!(Bound::new(Timestamp::from_secs(5), &[1; 33]), None);
    }

    #[test]
    fn infinity_is_above_everything() {
        assert!(Bound::Infinity > Bound::Before(item(u64::MAX - 1, &[0xff; 32])));
        assert!(Bound::ZERO < Bound::Before(item(0, &[1])));
    }
}
