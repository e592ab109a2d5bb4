//! How many events newcomers and addresses sent today.
//!
//! They are counted in memory and written down from time to time, as markers, so that a restart does not
//! begin the day anew. Processes on one store add what each of them counted.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use event::{Pubkey, Timestamp};

/// How many pubkeys and addresses are counted; beyond that nobody new is let in on that day.
const MOST: usize = 400_000;
const DAY: u64 = 86_400;
/// How many markers they are spread over: only those are written in which something changed.
const SHARDS: u8 = 64;

/// Whose events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Counted {
    Pubkey(Pubkey),
    Address(IpAddr),
}

/// What was counted on one day (UTC).
#[derive(Debug, Default)]
pub(super) struct Counters {
    day: u64,
    counts: HashMap<Counted, Count>,
}

/// How many events there were, and how many of them are not written down: fewer than none if counting
/// began anew.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    total: u32,
    unsaved: i64,
}

/// What is not written down of one shard.
#[derive(Debug)]
pub(super) struct Unsaved {
    pub(super) shard: u8,
    day: u64,
    counts: BTreeMap<Counted, i64>,
}

impl Counters {
    /// Counts an event; `false` if that is more than `limit`.
    pub(super) fn add(&mut self, who: Counted, limit: u32, now: Timestamp) -> bool {
        self.turn(now);
        if self.counts.len() >= MOST && !self.counts.contains_key(&who) {
            return false;
        }
        let count = self.counts.entry(who).or_default();
        let is_allowed = count.total < limit;
        count.total += u32::from(is_allowed);
        count.unsaved += i64::from(is_allowed);
        is_allowed
    }

    /// Begins to count somebody anew.
    pub(super) fn forget(&mut self, who: Counted) {
        if let Some(count) = self.counts.get_mut(&who) {
            count.unsaved -= i64::from(count.total);
            count.total = 0;
        }
    }

    /// What is to be written down, shard by shard.
    pub(super) fn unsaved(&mut self, now: Timestamp) -> Vec<Unsaved> {
        self.turn(now);
        let mut shards: BTreeMap<u8, BTreeMap<Counted, i64>> = BTreeMap::new();
        for (who, count) in self.counts.iter().filter(|(_, count)| count.unsaved != 0) {
            shards.entry(who.shard()).or_default().insert(*who, count.unsaved);
        }
        let day = self.day;
        shards.into_iter().map(|(shard, counts)| Unsaved { shard, day, counts }).collect()
    }

    /// Takes note of what was written down: all that is known of a shard now.
    pub(super) fn settle(&mut self, unsaved: &Unsaved, marker: &[u8]) {
        if unsaved.day != self.day {
            return;
        }
        for (who, saved) in &unsaved.counts {
            if let Some(count) = self.counts.get_mut(who) {
                count.unsaved -= saved;
            }
        }
        self.learn(marker);
    }

    /// Takes over what was written down today.
    pub(super) fn restore(&mut self, marker: &[u8], now: Timestamp) {
        self.turn(now);
        self.learn(marker);
    }

    fn learn(&mut self, marker: &[u8]) {
        for (who, stored) in read(marker, self.day) {
            if self.counts.len() < MOST || self.counts.contains_key(&who) {
                let count = self.counts.entry(who).or_default();
                count.total = within(i64::from(stored) + count.unsaved);
            }
        }
    }

    /// Forgets what another day counted.
    fn turn(&mut self, now: Timestamp) {
        let day = now.as_secs() / DAY;
        if self.day != day {
            *self = Self { day, ..Self::default() };
        }
    }
}

impl Unsaved {
    /// What the marker of the shard, which is this now, is to be.
    pub(super) fn added_to(&self, marker: &[u8]) -> Vec<u8> {
        let mut counts = read(marker, self.day);
        for (who, unsaved) in &self.counts {
            let count = counts.entry(*who).or_default();
            *count = within(i64::from(*count) + unsaved);
        }
        let mut bytes = self.day.to_be_bytes().to_vec();
        for (who, count) in counts {
            bytes.extend(who.to_bytes());
            bytes.extend(count.to_be_bytes());
        }
        bytes
    }
}

/// What a marker says of a day: `day 8 ‖ (who 33 ‖ count 4)…`.
fn read(marker: &[u8], day: u64) -> BTreeMap<Counted, u32> {
    let Some((head, rest)) = marker.split_first_chunk() else { return BTreeMap::new() };
    if u64::from_be_bytes(*head) != day {
        return BTreeMap::new();
    }
    let entries = rest.as_chunks::<37>().0.iter().take(MOST);
    let entry = |entry: &[u8; 37]| {
        let (who, count) = entry.split_last_chunk()?;
        Some((Counted::from_bytes(who.try_into().ok()?)?, u32::from_be_bytes(*count)))
    };
    entries.filter_map(entry).collect()
}

fn within(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

impl Counted {
    /// A pubkey as it is, an address as IPv6 and filled up.
    fn to_bytes(self) -> [u8; 33] {
        let mut bytes = [0; 33];
        match self {
            Self::Pubkey(pubkey) => bytes[1..].copy_from_slice(pubkey.as_bytes()),
            Self::Address(address) => {
                let address = match address {
                    IpAddr::V4(address) => address.to_ipv6_mapped(),
                    IpAddr::V6(address) => address,
                };
                bytes[0] = 1;
                bytes[1..17].copy_from_slice(&address.octets());
            }
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; 33]) -> Option<Self> {
        match bytes {
            [0, pubkey @ ..] => Some(Self::Pubkey(Pubkey::new(*pubkey))),
            [1, address @ ..] => {
                let address: &[u8; 16] = address.first_chunk()?;
                Some(Self::Address(IpAddr::from(*address).to_canonical()))
            }
            _ => None,
        }
    }

    /// Where it is written down: addresses that are neighbours share their first bytes.
    fn shard(self) -> u8 {
        self.to_bytes().iter().fold(0, |sum: u8, byte| sum.wrapping_mul(31).wrapping_add(*byte))
            % SHARDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: Counted = Counted::Pubkey(Pubkey::new([1; 32]));
    const BOB: Counted = Counted::Pubkey(Pubkey::new([2; 32]));
    const HERE: Counted = Counted::Address(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    /// Writes down what is not yet, as a store would.
    fn save(counters: &mut Counters, markers: &mut BTreeMap<u8, Vec<u8>>, now: u64) {
        for unsaved in counters.unsaved(at(now)) {
            let marker = markers.entry(unsaved.shard).or_default();
            *marker = unsaved.added_to(marker);
            counters.settle(&unsaved, marker);
        }
    }

    fn restored(markers: &BTreeMap<u8, Vec<u8>>, now: u64) -> Counters {
        let mut counters = Counters::default();
        markers.values().for_each(|marker| counters.restore(marker, at(now)));
        counters
    }

    #[test]
    fn each_day_counts_anew() {
        let mut counters = Counters::default();
        let mut add = |who, secs| counters.add(who, 2, at(secs));
        assert_eq!([add(ALICE, 5), add(ALICE, 6), add(ALICE, 7)], [true, true, false]);
        assert!(add(BOB, 8));
        assert!(add(ALICE, DAY));
    }

    #[test]
    fn what_was_written_down_counts_after_a_restart_on_the_same_day() {
        let (mut counters, mut markers) = (Counters::default(), BTreeMap::new());
        for who in [ALICE, ALICE, HERE, BOB] {
            assert!(counters.add(who, 2, at(5)));
        }
        save(&mut counters, &mut markers, 5);
        assert!(counters.unsaved(at(5)).is_empty());
        let mut later = restored(&markers, 6);
        assert_eq!([ALICE, BOB, HERE].map(|who| later.add(who, 2, at(6))), [false, true, true]);
        save(&mut later, &mut markers, 6);
        let mut later = restored(&markers, 7);
        assert_eq!([ALICE, BOB, HERE].map(|who| later.add(who, 2, at(7))), [false; 3]);
        let mut tomorrow = restored(&markers, DAY);
        assert_eq!([ALICE, BOB, HERE].map(|who| tomorrow.add(who, 2, at(DAY))), [true; 3]);
    }

    #[test]
    fn two_processes_add_what_they_counted() {
        let mut markers = BTreeMap::new();
        let (mut a, mut b) = (Counters::default(), Counters::default());
        assert!(a.add(ALICE, 3, at(5)) && b.add(ALICE, 3, at(5)) && b.add(ALICE, 3, at(5)));
        save(&mut a, &mut markers, 5);
        save(&mut b, &mut markers, 5);
        assert!(!b.add(ALICE, 3, at(6)), "it learned of the other's when it wrote down its own");
        assert!(!restored(&markers, 6).add(ALICE, 3, at(6)));
    }

    #[test]
    fn who_is_forgotten_is_so_after_a_restart_too() {
        let (mut counters, mut markers) = (Counters::default(), BTreeMap::new());
        assert!(counters.add(HERE, 1, at(5)));
        save(&mut counters, &mut markers, 5);
        counters.forget(HERE);
        save(&mut counters, &mut markers, 5);
        assert!(restored(&markers, 6).add(HERE, 1, at(6)));
    }

    #[test]
    fn markers_that_are_damaged_count_for_nothing() {
        let mut counters = Counters::default();
        for marker in [&b""[..], b"x", &[0; 8], &[0; 44], &[7; 45]] {
            counters.restore(marker, at(5));
        }
        assert!(counters.counts.is_empty());
    }

    #[test]
    fn nobody_new_is_counted_when_there_are_too_many() {
        let mut counters = Counters::default();
        let who = |number: usize| {
            let mut bytes = [0; 32];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            Counted::Pubkey(Pubkey::new(bytes))
        };
        assert!((0..MOST).all(|number| counters.add(who(number), 1, at(1))));
        assert!(!counters.add(who(MOST), 1, at(1)));
        assert_eq!(counters.counts.len(), MOST);
    }
}
