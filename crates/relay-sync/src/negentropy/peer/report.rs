//! What a synchronisation did.

use std::collections::BTreeMap;
use std::time::Duration;

use relay_client::Traffic;

use super::Direction;

/// How many different reasons are told apart.
const MAX_REASONS: usize = 20;
/// How much of a reason is kept.
const MAX_REASON_CHARS: usize = 120;

/// Numbers of a synchronisation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Events we have and the peer lacks.
    pub have: u64,
    /// Events the peer has and we lack.
    pub need: u64,
    /// Events the peer gave, with valid ids and signatures.
    pub fetched: u64,
    /// Of these, how many are new in our store.
    pub stored: u64,
    /// Of these, those our store had, or has no place for: superseded, deleted, expired, not admitted.
    pub passed_over: Reasons,
    /// Events of the peer with wrong ids or signatures, or too large.
    pub invalid: Reasons,
    /// Events the peer named and did not give.
    pub missing: u64,
    /// Events not given to the peer: only their authors may publish them (NIP-70).
    pub withheld: u64,
    /// Events published to the peer.
    pub sent: u64,
    /// Of these, those the peer has now.
    pub accepted: u64,
    /// Of these, those the peer did not take, by its reason.
    pub refused: Reasons,
    /// Messages of the peer in reconciliations.
    pub rounds: u32,
    /// Reconciliations; more than one where the set was divided.
    pub sessions: u32,
    /// How much went over the wire.
    pub traffic: Traffic,
    /// How long it took.
    pub duration: Duration,
}

impl SyncReport {
    /// Whether nothing was left behind that should have been moved.
    pub fn moved_all(&self, direction: Direction) -> bool {
        let has_fetched = self.missing == 0 && self.invalid.total() == 0;
        let has_published = self.refused.total() == 0;
        (has_fetched || !direction.fetches()) && (has_published || !direction.publishes())
    }

    /// How many events changed their place.
    pub fn moved(&self) -> u64 {
        self.stored + self.accepted
    }
}

/// How many events, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasons(BTreeMap<String, u64>);

impl Reasons {
    /// Counts one.
    pub(super) fn add(&mut self, reason: &str) {
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        let is_known = self.0.contains_key(&reason);
        let reason =
            if is_known || self.0.len() < MAX_REASONS { reason } else { "other reasons".into() };
        *self.0.entry(reason).or_default() += 1;
    }

    /// Takes one back.
    pub(super) fn remove(&mut self, reason: &str) {
        let reason: String = reason.chars().take(MAX_REASON_CHARS).collect();
        if let Some(count) = self.0.get_mut(&reason) {
            *count -= 1;
            self.0.retain(|_, count| *count > 0);
        }
    }

    /// How many in all.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Each reason with its number.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(reason, count)| (reason.as_str(), *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_a_talkative_peer_stay_few() {
        let mut reasons = Reasons::default();
        (0..100).for_each(|number| reasons.add(&format!("error: {number}")));
        reasons.add(&"x".repeat(100_000));
        assert_eq!((reasons.total(), reasons.iter().count()), (101, MAX_REASONS + 1));
    }

    #[test]
    fn only_what_the_direction_asks_for_counts() {
        let mut report = SyncReport::default();
        report.refused.add("blocked: no");
        assert!(report.moved_all(Direction::Down));
        assert!(!report.moved_all(Direction::Both));
        report.refused.remove("blocked: no");
        assert!(report.moved_all(Direction::Both));
        report.missing = 1;
        assert!(!report.moved_all(Direction::Down));
    }
}
