//! How many events newcomers and addresses sent today.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use event::{Pubkey, Timestamp};

/// How many pubkeys and how many addresses are counted; beyond that nobody new is let in on that day.
const MOST: usize = 200_000;
const DAY: u64 = 86_400;

/// What was counted on one day (UTC).
#[derive(Debug, Default)]
pub(super) struct Counters {
    day: u64,
    pubkeys: HashMap<Pubkey, u32>,
    addresses: HashMap<IpAddr, u32>,
}

impl Counters {
    /// Counts an event; `false` if that is more than `limit`.
    pub(super) fn add_pubkey(&mut self, pubkey: Pubkey, limit: u32, now: Timestamp) -> bool {
        self.turn(now);
        add(&mut self.pubkeys, pubkey, limit)
    }

    /// Counts an event; `false` if that is more than `limit`.
    pub(super) fn add_address(&mut self, address: IpAddr, limit: u32, now: Timestamp) -> bool {
        self.turn(now);
        add(&mut self.addresses, address, limit)
    }

    /// Begins to count an address anew.
    pub(super) fn forget_address(&mut self, address: IpAddr) {
        self.addresses.remove(&address);
    }

    /// Forgets what another day counted.
    fn turn(&mut self, now: Timestamp) {
        let day = now.as_secs() / DAY;
        if self.day != day {
            *self = Self { day, ..Self::default() };
        }
    }
}

fn add<K: Hash + Eq>(counts: &mut HashMap<K, u32>, key: K, limit: u32) -> bool {
    if counts.len() >= MOST && !counts.contains_key(&key) {
        return false;
    }
    let count = counts.entry(key).or_default();
    let is_allowed = *count < limit;
    *count += u32::from(is_allowed);
    is_allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_day_counts_anew() {
        let mut counters = Counters::default();
        let (alice, bob) = (Pubkey::new([1; 32]), Pubkey::new([2; 32]));
        let mut add = |who, at| counters.add_pubkey(who, 2, Timestamp::from_secs(at));
        assert_eq!([add(alice, 5), add(alice, 6), add(alice, 7)], [true, true, false]);
        assert!(add(bob, 8));
        assert!(add(alice, DAY));
    }

    #[test]
    fn nobody_new_is_counted_when_there_are_too_many() {
        let mut counts = HashMap::new();
        assert!((0..MOST).all(|at| add(&mut counts, at, 1)));
        assert!(!add(&mut counts, MOST, 1));
        assert_eq!(counts.len(), MOST);
    }
}
