//! Keys: big-endian, so that the order of bytes is the order of what they stand for.
//!
//! Indexes run newest first, and within a second by id, as NIP-01 wants answers ordered: their keys
//! end with `!created_at 5 ‖ id`, where `!` turns the order round.

use std::hash::Hasher;

use event::{Address, EventId, EventRef, Kind, Pubkey, Timestamp};
use siphasher::sip128::{Hasher128, SipHasher13};
use store::Serial;

/// A serial on disk.
pub(crate) type SerialBytes = [u8; 5];

pub(crate) fn serial_bytes(serial: Serial) -> SerialBytes {
    let [_, _, _, rest @ ..] = serial.as_u64().to_be_bytes();
    rest
}

pub(crate) fn serial_from(bytes: &[u8]) -> Serial {
    Serial::new(number_from(bytes))
}

/// Reads up to eight bytes as a number; what is missing in front is zero.
fn number_from(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// `created_at` turned round: later is smaller.
pub(crate) fn newest_first(created_at: Timestamp) -> [u8; 5] {
    let [_, _, _, rest @ ..] =
        (Timestamp::MAX.as_secs() - created_at.min(Timestamp::MAX).as_secs()).to_be_bytes();
    rest
}

pub(crate) fn created_at_from(newest_first: &[u8]) -> Timestamp {
    Timestamp::from_secs(Timestamp::MAX.as_secs() - number_from(newest_first))
}

/// `created_at` in its own order.
pub(crate) fn oldest_first(created_at: Timestamp) -> [u8; 5] {
    let [_, _, _, rest @ ..] = created_at.min(Timestamp::MAX).as_secs().to_be_bytes();
    rest
}

/// An index entry without its prefix: `!created_at 5 ‖ first bytes of id 4 ‖ serial 5`, as a number.
///
/// Smaller is earlier in an answer. Two events of a second whose ids share four bytes are told
/// apart by serial, the only place where the order of NIP-01 is not exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Posting(u128);

impl Posting {
    pub(crate) const LEN: usize = 14;

    pub(crate) fn new(created_at: Timestamp, id: &EventId, serial: Serial) -> Self {
        let [a, b, c, d, ..] = *id.as_bytes();
        let time = number_from(&newest_first(created_at));
        let id = u32::from_be_bytes([a, b, c, d]);
        Self(u128::from(time) << 72 | u128::from(id) << 40 | u128::from(serial.as_u64()))
    }

    pub(crate) fn of(event: EventRef<'_>, serial: Serial) -> Self {
        Self::new(event.created_at(), &event.id(), serial)
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let [_, _, rest @ ..] = self.0.to_be_bytes();
        rest
    }

    /// Reads the end of a key that ends with a posting.
    pub(crate) fn from_key(key: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = key.last_chunk()?;
        let mut wide = [0; 16];
        wide[2..].copy_from_slice(bytes);
        Some(Self(u128::from_be_bytes(wide)))
    }

    /// Reads the end of a key that ends with `!created_at 5 ‖ id 32`, and its value.
    pub(crate) fn from_item(key: &[u8], serial: &[u8]) -> Option<Self> {
        let item: &[u8; 37] = key.last_chunk()?;
        let serial: &SerialBytes = serial.try_into().ok()?;
        let mut wide = [0; 16];
        wide[2..11].copy_from_slice(&item[..9]);
        wide[11..].copy_from_slice(serial);
        Some(Self(u128::from_be_bytes(wide)))
    }

    pub(crate) fn created_at(self) -> Timestamp {
        created_at_from(&self.to_bytes()[..5])
    }

    pub(crate) fn serial(self) -> Serial {
        let [.., a, b, c, d, e] = self.0.to_be_bytes();
        serial_from(&[a, b, c, d, e])
    }
}

/// Joins parts that add up to `N` bytes.
pub(crate) fn join<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut key = [0; N];
    let mut rest = &mut key[..];
    for part in parts {
        let (front, back) = rest.split_at_mut(part.len());
        front.copy_from_slice(part);
        rest = back;
    }
    debug_assert!(rest.is_empty(), "the parts fill the key");
    key
}

/// The secret of a database that its 64-bit hashes depend on: who does not know it cannot make two
/// values that share one, so what an index finds by them is what was asked for.
#[derive(Clone, Copy, Default)]
pub(crate) struct HashKey([u8; 16]);

impl HashKey {
    pub(crate) const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// `hash of pubkey 8`
    pub(crate) fn author(self, pubkey: &Pubkey) -> [u8; 8] {
        self.hash(pubkey.as_bytes())
    }

    /// `hash of pubkey 8 ‖ kind 2`
    pub(crate) fn author_kind(self, pubkey: &Pubkey, kind: Kind) -> [u8; 10] {
        join(&[&self.author(pubkey), &kind.as_u16().to_be_bytes()])
    }

    /// `letter 1 ‖ hash of value 8`
    pub(crate) fn tag(self, letter: u8, value: &str) -> [u8; 9] {
        join(&[&[letter], &self.hash(value.as_bytes())])
    }

    fn hash(self, value: &[u8]) -> [u8; 8] {
        siphasher::sip::SipHasher13::new_with_key(&self.0).hash(value).to_be_bytes()
    }
}

/// The key of an address: 128 bits stand for kind, pubkey and `d`.
pub(crate) fn address_key(address: &Address) -> [u8; 16] {
    let mut hasher = SipHasher13::new_with_keys(0x6f72_6c79, 0x6e6f_7374_7221);
    hasher.write(&address.kind.as_u16().to_be_bytes());
    hasher.write(address.pubkey.as_bytes());
    hasher.write(address.d.as_bytes());
    hasher.finish128().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn postings_sort_as_answers_do(
            a in (0u64..1 << 40, any::<[u8; 32]>(), 0u64..1 << 40),
            b in (0u64..1 << 40, any::<[u8; 32]>(), 0u64..1 << 40),
        ) {
            let posting = |(at, id, serial): (u64, [u8; 32], u64)| {
                Posting::new(Timestamp::from_secs(at), &EventId::new(id), Serial::new(serial))
            };
            let order = |(at, id, serial): (u64, [u8; 32], u64)| (std::cmp::Reverse(at), id[..4].to_vec(), serial);
            prop_assert_eq!(posting(a).cmp(&posting(b)), order(a).cmp(&order(b)));
            prop_assert_eq!(posting(a).to_bytes().cmp(&posting(b).to_bytes()), order(a).cmp(&order(b)));
            prop_assert_eq!(Posting::from_key(&posting(a).to_bytes()), Some(posting(a)));
            prop_assert_eq!(posting(a).serial().as_u64(), a.2);
            prop_assert_eq!(posting(a).created_at().as_secs(), a.0);
        }
    }
}
