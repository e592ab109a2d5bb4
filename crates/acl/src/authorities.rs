//! Those who run the relay.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};

use event::Pubkey;
use parking_lot::RwLock;

use crate::AccessLevel;

/// Owners, admins, and peers of the relay, which are as admins.
#[derive(Debug, Default)]
pub struct Authorities {
    owners: HashSet<Pubkey>,
    admins: HashSet<Pubkey>,
    peers: RwLock<HashSet<Pubkey>>,
    changes: AtomicU64,
}

impl Authorities {
    /// Takes the lists of an operator.
    pub fn new(owners: &[Pubkey], admins: &[Pubkey]) -> Self {
        Self {
            owners: owners.iter().copied().collect(),
            admins: admins.iter().copied().collect(),
            peers: RwLock::default(),
            changes: AtomicU64::new(0),
        }
    }

    /// The level that somebody has by being on one of the lists.
    pub fn level(&self, pubkey: Option<Pubkey>) -> Option<AccessLevel> {
        let pubkey = pubkey?;
        if self.owners.contains(&pubkey) {
            Some(AccessLevel::Owner)
        } else if self.admins.contains(&pubkey) || self.peers.read().contains(&pubkey) {
            Some(AccessLevel::Admin)
        } else {
            None
        }
    }

    /// Whether the pubkey is an owner's or admin's; peers are not.
    pub fn is_operator(&self, pubkey: &Pubkey) -> bool {
        self.owners.contains(pubkey) || self.admins.contains(pubkey)
    }

    /// All owners and admins, sorted.
    pub fn operators(&self) -> Vec<Pubkey> {
        let mut all: Vec<Pubkey> = self.owners.union(&self.admins).copied().collect();
        all.sort_unstable();
        all
    }

    /// Takes the pubkeys of the relays that are kept in step with this one, in place of the former.
    pub fn set_peers(&self, peers: impl IntoIterator<Item = Pubkey>) {
        *self.peers.write() = peers.into_iter().collect();
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// How often the peers changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }
}
