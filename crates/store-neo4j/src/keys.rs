//! What indexes hold.
//!
//! A rank is `!created_at ‖ id` in hex: ranks in order are an answer in NIP-01's order. Half of the id is enough to tell
//! events of one second apart, and short enough for Neo4j to keep it beside the node.

use event::{Address, EventId, EventRef, Pubkey, Timestamp};
use sha2::{Digest, Sha256};

/// What Neo4j can hold in an index is 8 KB; longer texts are told apart by their hash.
const LONGEST_KEY: usize = 500;
/// How much of an id a rank has.
const ID_DIGITS: usize = 32;

/// Where an event stands in the order of answers.
pub(crate) fn rank(event: EventRef<'_>) -> String {
    let mut rank = above(event.created_at());
    rank.push_str(&event.id().to_string()[..ID_DIGITS]);
    rank
}

/// What all ranks up to a time are greater than.
pub(crate) fn above(until: Timestamp) -> String {
    let until = until.min(Timestamp::MAX);
    format!("{:010x}", Timestamp::MAX.as_secs() - until.as_secs())
}

/// What all ranks from a time on are less than.
pub(crate) fn below(since: Timestamp) -> String {
    above(since) + "g"
}

/// What names an address.
pub(crate) fn address_key(address: &Address) -> String {
    shortened(address.to_string())
}

/// What names a tag and its value, written as events write it.
pub(crate) fn tag_key(letter: u8, value: &str) -> String {
    shortened(format!("{}:{value}", char::from(letter)))
}

fn shortened(key: String) -> String {
    if key.len() <= LONGEST_KEY {
        return key;
    }
    let hash = Sha256::digest(key.as_bytes());
    let start = key.char_indices().map(|(at, _)| at).take_while(|at| *at <= LONGEST_KEY / 2).last();
    let start = &key[..start.unwrap_or_default()];
    let hash: [u8; 32] = hash.into();
    format!("{start}…#{}", Pubkey::new(hash))
}

/// Hashes tags with a secret of the database, so that nobody can make two that meet.
#[derive(Clone, Debug)]
pub(crate) struct TagHasher(String);

impl TagHasher {
    pub(crate) const fn new(secret: String) -> Self {
        Self(secret)
    }

    /// What relations hold of their tag.
    pub(crate) fn hash(&self, letter: u8, value: &str) -> i64 {
        let mut hasher = Sha256::new();
        hasher.update(self.0.as_bytes());
        hasher.update([letter]);
        hasher.update(value.as_bytes());
        let hash: [u8; 32] = hasher.finalize().into();
        i64::from_be_bytes(*hash.first_chunk().expect("a hash is longer"))
    }
}

/// Whether the value of a `p` tag is a pubkey: then it is a relation to its user.
pub(crate) fn mentioned(letter: u8, value: &str) -> Option<Pubkey> {
    (letter == b'p').then(|| Pubkey::from_hex(value.as_bytes()).ok()).flatten()
}

/// Keys of tombstones: what they are about, and for whom.
pub(crate) mod tombstone {
    use super::{EventId, Pubkey};

    /// Nobody may publish the event again.
    pub(crate) fn id(id: &EventId) -> String {
        format!("id:{id}")
    }

    /// Its author may not publish the event again.
    pub(crate) fn id_by(id: &EventId, author: &Pubkey) -> String {
        format!("id:{id}:{author}")
    }

    /// What stood at an address up to a time may not be published again.
    pub(crate) fn address(key: &str) -> String {
        format!("address:{key}")
    }

    /// What an author wrote up to a time may not be published again.
    pub(crate) fn author(pubkey: &Pubkey) -> String {
        format!("author:{pubkey}")
    }
}

#[cfg(test)]
mod tests {
    use event::{Draft, Keys, Kind};

    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_answers_and_within_their_times() {
        let at = |secs| {
            let created_at = Timestamp::from_secs(secs);
            let draft =
                Draft { created_at, kind: Kind::new(1), tags: vec![], content: String::new() };
            rank(Keys::from_secret([7; 32]).unwrap().sign(&draft).as_ref())
        };
        let times = [0, 1, 0xFFFF, 0x1_0000, Timestamp::MAX.as_secs()];
        assert!(times.windows(2).all(|pair| at(pair[1]) < at(pair[0])));
        for secs in times {
            let time = Timestamp::from_secs(secs);
            assert!(above(time) < at(secs) && at(secs) < below(time), "{secs}");
            assert_eq!(at(secs).len(), 42);
        }
        assert!(at(10) > below(Timestamp::from_secs(11)));
        assert!(at(11) < above(Timestamp::from_secs(10)));
    }

    #[test]
    fn long_keys_are_short_and_differ() {
        let long = "é".repeat(5000);
        let (a, b) = (tag_key(b't', &long), tag_key(b't', &(long.clone() + "b")));
        assert!(a != b && a.len() < LONGEST_KEY && b.len() < LONGEST_KEY);
        assert_eq!(tag_key(b't', "x"), "t:x");
    }
}
