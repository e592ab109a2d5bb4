//! Slowing down whoever is known to nobody: each event adds to what they owe, time pays it back.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

use event::Pubkey;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::counted::counted;

/// How many pubkeys and how many addresses are remembered.
const MOST: usize = 50_000;

/// How much others are slowed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleSettings {
    /// By how much each event slows its sender.
    pub per_event: Duration,
    /// How slow somebody may become.
    pub max: Duration,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self { per_event: Duration::from_millis(25), max: Duration::from_secs(60) }
    }
}

/// What everybody owes.
#[derive(Debug)]
pub(crate) struct Throttle {
    settings: ThrottleSettings,
    debts: Mutex<(Debts<Pubkey>, Debts<IpAddr>)>,
}

impl Throttle {
    pub(crate) fn new(settings: ThrottleSettings) -> Self {
        Self { settings, debts: Mutex::default() }
    }

    /// Counts an event, and says how long it has to wait: as long as its sender or the address owes.
    pub(crate) fn count(&self, pubkey: Option<Pubkey>, address: IpAddr, now: Instant) -> Duration {
        let (pubkeys, addresses) = &mut *self.debts.lock();
        let own = pubkey.map(|pubkey| pubkeys.add(pubkey, self.settings, now));
        addresses.add(counted(address), self.settings, now).max(own.unwrap_or_default())
    }
}

/// What each one owes, and when that was written down.
#[derive(Debug)]
struct Debts<K>(HashMap<K, (Duration, Instant)>);

impl<K> Default for Debts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Debts<K> {
    fn add(&mut self, key: K, settings: ThrottleSettings, now: Instant) -> Duration {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.retain(|_, debt| !left(*debt, now).is_zero());
        }
        let before = self.0.get(&key).map_or(Duration::ZERO, |debt| left(*debt, now));
        let debt = (before + settings.per_event).min(settings.max);
        // Whoever finds no room pays for this event alone; addresses are not that many.
        if self.0.len() < MOST || self.0.contains_key(&key) {
            self.0.insert(key, (debt, now));
        }
        debt
    }
}

/// What of a debt time has not paid back.
fn left((debt, since): (Duration, Instant), now: Instant) -> Duration {
    debt.saturating_sub(now.saturating_duration_since(since))
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn millis(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn each_event_adds_and_time_takes_away() {
        let throttle = Throttle::new(ThrottleSettings::default());
        let start = Instant::now();
        let count = |after| throttle.count(None, A, start + millis(after));
        assert_eq!(count(0), millis(25));
        assert_eq!(count(0), millis(50));
        assert_eq!(count(20), millis(55), "20 ms were paid back");
        assert_eq!(count(10_000), millis(25));
    }

    #[test]
    fn the_larger_debt_of_pubkey_and_address_holds_up_to_the_limit() {
        let settings = ThrottleSettings { per_event: millis(40), max: millis(100) };
        let throttle = Throttle::new(settings);
        let start = Instant::now();
        let key = Some(Pubkey::new([1; 32]));
        assert_eq!(throttle.count(key, A, start), millis(40));
        assert_eq!(throttle.count(key, B, start), millis(80), "the pubkey moved on");
        assert_eq!(throttle.count(None, B, start), millis(80), "so did its address");
        assert_eq!(throttle.count(key, A, start), millis(100), "and not 120");
    }

    #[test]
    fn the_tables_do_not_grow_beyond_their_limit() {
        let mut debts = Debts::default();
        let start = Instant::now();
        for at in 0..MOST + 10 {
            debts.add(at, ThrottleSettings::default(), start);
        }
        assert_eq!(debts.0.len(), MOST);
        debts.add(MOST + 1, ThrottleSettings::default(), start + millis(30));
        assert_eq!(debts.0.len(), 1, "debts that are paid make room");
    }
}
