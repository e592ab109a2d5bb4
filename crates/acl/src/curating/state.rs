//! What the markers of the mode curating say.

use std::collections::HashMap;
use std::net::IpAddr;

use event::{Pubkey, Timestamp};
use serde_json::{Value, json};

use super::CuratingConfig;
use crate::ledger::Mirror;
use crate::lists::Lists;
use crate::{Entry, List, Subject};

/// Lists, configuration, and the addresses that flooded.
#[derive(Default)]
pub(super) struct State {
    pub(super) lists: Lists,
    pub(super) config: Option<CuratingConfig>,
    pub(super) offences: HashMap<IpAddr, Offence>,
}

/// How often an address flooded, and until when it is banned for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offence {
    pub(super) count: u32,
    pub(super) until: Timestamp,
}

impl Mirror for State {
    fn apply(&mut self, key: &str, value: Option<&[u8]>) {
        if key == "config" {
            self.config = value.and_then(CuratingConfig::from_marker);
        } else if let Some(address) = key.strip_prefix("offence:") {
            let Ok(address) = address.parse() else { return };
            match value.and_then(Offence::from_marker) {
                Some(offence) => drop(self.offences.insert(address, offence)),
                None => drop(self.offences.remove(&address)),
            }
        } else {
            self.lists.apply(key, value);
        }
    }
}

impl State {
    /// Until when an address, as it is counted, is banned.
    pub(super) fn banned_until(&self, address: IpAddr, now: Timestamp) -> Option<Timestamp> {
        self.offences.get(&address).map(|offence| offence.until).filter(|until| *until > now)
    }

    /// The addresses that are banned for a while.
    pub(super) fn banned(&self, now: Timestamp) -> impl Iterator<Item = Entry> {
        let banned = self.offences.iter().filter(move |(_, offence)| offence.until > now);
        banned.map(|(address, offence)| Entry {
            subject: Subject::Ip(*address),
            reason: format!("flood, {} times; banned until {}", offence.count, offence.until),
            added: Timestamp::default(),
            author: None,
        })
    }

    /// The blacklisted authors.
    pub(super) fn blacklisted(&self) -> Vec<Pubkey> {
        let pubkey = |entry: &Entry| match entry.subject {
            Subject::Pubkey(pubkey) => Some(pubkey),
            Subject::Event(_) | Subject::Kind(_) | Subject::Ip(_) => None,
        };
        self.lists.entries(List::BlacklistedPubkeys).filter_map(pubkey).collect()
    }
}

impl Offence {
    /// The value of its marker.
    pub(super) fn to_marker(self) -> Vec<u8> {
        json!({ "count": self.count, "until": self.until.as_secs() }).to_string().into_bytes()
    }

    fn from_marker(value: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(value).ok()?;
        let count = value["count"].as_u64()?.try_into().unwrap_or(u32::MAX);
        Some(Self { count, until: Timestamp::from_secs(value["until"].as_u64()?) })
    }
}
