//! Those who run the relay.

use std::collections::HashSet;

use event::Pubkey;
use parking_lot::RwLock;

use crate::{AccessLevel, Changes};

/// Owners, admins, and peers of the relay, which are as admins.
#[derive(Debug, Default)]
pub struct Authorities {
    owners: HashSet<Pubkey>,
    admins: HashSet<Pubkey>,
    peers: RwLock<HashSet<Pubkey>>,
    changes: Changes,
}

impl Authorities {
    /// Takes the lists of an operator.
    pub fn new(owners: &[Pubkey], admins: &[Pubkey]) -> Self {
        Self {
            owners: owners.iter().copied().collect(),
            admins: admins.iter().copied().collect(),
            peers: RwLock::default(),
            changes: Changes::default(),
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
        self.changes.add();
    }

    /// What changes about them, and about all that is decided with them.
    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }
}
