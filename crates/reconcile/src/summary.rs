//! Count and sum of a set of ids, and the fingerprint made of them (protocol V1, "Fingerprint Algorithm").

use std::ops::{Add, AddAssign, Sub, SubAssign};

use event::EventId;
use sha2::{Digest, Sha256};

use crate::varint;

/// How many ids a set has, and their sum as little-endian numbers modulo 2^256.
///
/// Summaries of disjoint sets add up, and what was added can be taken away: a tree of them answers for any range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Summary {
    count: u64,
    limbs: [u64; 4],
}

/// Sixteen bytes that two equal sets of ids share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; Fingerprint::LEN]);

impl Fingerprint {
    /// How many bytes it has.
    pub const LEN: usize = 16;

    /// Takes the raw bytes.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl Summary {
    /// The summary of the empty set.
    pub const EMPTY: Self = Self { count: 0, limbs: [0; 4] };

    /// How many bytes the stored form has.
    pub const LEN: usize = 8 + EventId::LEN;

    /// How many ids there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The sum of the ids, little-endian.
    pub fn sum(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (eight, limb) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.limbs) {
            *eight = limb.to_le_bytes();
        }
        bytes
    }

    /// Adds one id.
    #[inline]
    pub fn insert(&mut self, id: &EventId) {
        *self += Self::from(id);
    }

    /// Takes one id away.
    #[inline]
    pub fn remove(&mut self, id: &EventId) {
        *self -= Self::from(id);
    }

    /// The fingerprint that goes over the wire.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut input = [0; 32 + varint::MAX_LEN];
        input[..32].copy_from_slice(&self.sum());
        let count = varint::encode(self.count);
        let end = 32 + count.len();
        input[32..end].copy_from_slice(&count);
        let digest: [u8; 32] = Sha256::digest(&input[..end]).into();
        Fingerprint(*digest.first_chunk().expect("a digest has 32 bytes"))
    }

    /// The stored form: `count ‖ sum`, both little-endian.
    #[inline]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.count.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sum());
        bytes
    }

    /// Reads the stored form back.
    #[inline]
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let [count, limbs @ ..]: [u64; 5] = words(bytes);
        Self { count, limbs }
    }
}

impl From<&EventId> for Summary {
    #[inline]
    fn from(id: &EventId) -> Self {
        Self { count: 1, limbs: words(id.as_bytes()) }
    }
}

impl AddAssign for Summary {
    #[inline]
    fn add_assign(&mut self, other: Self) {
        self.count = self.count.wrapping_add(other.count);
        let mut carry = false;
        for (limb, more) in self.limbs.iter_mut().zip(other.limbs) {
            (*limb, carry) = limb.carrying_add(more, carry);
        }
    }
}

impl SubAssign for Summary {
    #[inline]
    fn sub_assign(&mut self, other: Self) {
        self.count = self.count.wrapping_sub(other.count);
        let mut borrow = false;
        for (limb, less) in self.limbs.iter_mut().zip(other.limbs) {
            (*limb, borrow) = limb.borrowing_sub(less, borrow);
        }
    }
}

impl Add for Summary {
    type Output = Self;

    #[inline]
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl Sub for Summary {
    type Output = Self;

    #[inline]
    fn sub(mut self, other: Self) -> Self {
        self -= other;
        self
    }
}

#[inline]
fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [u64; WORDS] {
    const { assert!(BYTES == WORDS * 8) };
    let mut words = [0; WORDS];
    for (word, eight) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*eight);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids() -> impl Strategy<Value = Vec<EventId>> {
        proptest::collection::vec(any::<[u8; 32]>().prop_map(EventId::new), 0..20)
    }

    fn summary(ids: &[EventId]) -> Summary {
        ids.iter().fold(Summary::EMPTY, |sum, id| sum + Summary::from(id))
    }

    #[test]
    fn a_carry_runs_through_all_limbs_and_off_the_end() {
        let mut one = [0; 32];
        one[0] = 1;
        let mut sum = Summary::from(&EventId::new([0xff; 32]));
        sum.insert(&EventId::new(one));
        assert_eq!((sum.count(), sum.sum()), (2, [0; 32]));
        sum.remove(&EventId::new(one));
        assert_eq!((sum.count(), sum.sum()), (1, [0xff; 32]));
    }

    #[test]
    fn the_fingerprint_of_nothing_is_the_hash_of_33_zeros() {
        let digest = Sha256::digest([0; 33]);
        assert_eq!(Summary::EMPTY.fingerprint().as_bytes()[..], digest[..16]);
    }

    #[test]
    fn sum_and_count_make_the_fingerprint_together() {
        let zero = Summary::from(&EventId::new([0; 32]));
        assert_eq!(zero.sum(), Summary::EMPTY.sum());
        assert_ne!(zero.fingerprint(), Summary::EMPTY.fingerprint());
    }

    proptest! {
        #[test]
        fn disjoint_sets_add_up_and_part_again(left in ids(), right in ids()) {
            let whole = summary(&[left.clone(), right.clone()].concat());
            prop_assert_eq!(summary(&left) + summary(&right), whole);
            prop_assert_eq!(whole - summary(&right), summary(&left));
        }

        #[test]
        fn the_stored_form_reads_back(ids in ids()) {
            let sum = summary(&ids);
            prop_assert_eq!(Summary::from_bytes(&sum.to_bytes()), sum);
        }
    }
}
