//! Lists that an operator keeps: pubkeys, events, kinds and addresses, each with a reason.

use std::collections::BTreeMap;
use std::net::IpAddr;

use event::{EventId, Kind, Pubkey, Timestamp};
use serde_json::json;

use crate::Mode;

/// A list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum List {
    /// May do nothing.
    BannedPubkeys,
    /// May write.
    AllowedPubkeys,
    /// May not be stored.
    BannedEvents,
    /// May be stored whatever else says no.
    AllowedEvents,
    /// May be stored; all may if there are none.
    AllowedKinds,
    /// May not connect as anybody unknown.
    BlockedIps,
    /// May write without limits.
    TrustedPubkeys,
    /// May not write, and are not shown.
    BlacklistedPubkeys,
    /// May not be stored.
    SpamEvents,
}

/// What a list is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectKind {
    /// Pubkeys.
    Pubkey,
    /// Events.
    Event,
    /// Kinds.
    Kind,
    /// Addresses.
    Ip,
}

/// What is on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Somebody.
    Pubkey(Pubkey),
    /// An event.
    Event(EventId),
    /// A kind.
    Kind(Kind),
    /// An address.
    Ip(IpAddr),
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub subject: Subject,
    /// Why it is there, as far as somebody said.
    pub reason: String,
    /// Since when.
    pub added: Timestamp,
    /// The author of an event, as far as somebody said.
    pub author: Option<Pubkey>,
}

impl List {
    /// All lists.
    pub const ALL: [Self; 9] = [
        Self::BannedPubkeys,
        Self::AllowedPubkeys,
        Self::BannedEvents,
        Self::AllowedEvents,
        Self::AllowedKinds,
        Self::BlockedIps,
        Self::TrustedPubkeys,
        Self::BlacklistedPubkeys,
        Self::SpamEvents,
    ];

    /// Its name within the key of a marker.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BannedPubkeys => "banned-pubkeys",
            Self::AllowedPubkeys => "allowed-pubkeys",
            Self::BannedEvents => "banned-events",
            Self::AllowedEvents => "allowed-events",
            Self::AllowedKinds => "allowed-kinds",
            Self::BlockedIps => "blocked-ips",
            Self::TrustedPubkeys => "trusted-pubkeys",
            Self::BlacklistedPubkeys => "blacklisted-pubkeys",
            Self::SpamEvents => "spam-events",
        }
    }

    /// What it is made of.
    pub const fn holds(self) -> SubjectKind {
        match self {
            Self::BannedPubkeys
            | Self::AllowedPubkeys
            | Self::TrustedPubkeys
            | Self::BlacklistedPubkeys => SubjectKind::Pubkey,
            Self::BannedEvents | Self::AllowedEvents | Self::SpamEvents => SubjectKind::Event,
            Self::AllowedKinds => SubjectKind::Kind,
            Self::BlockedIps => SubjectKind::Ip,
        }
    }

    /// The mode that heeds it; addresses are blocked in both that are managed.
    pub fn belongs_to(self, mode: Mode) -> bool {
        match self {
            Self::BannedPubkeys
            | Self::AllowedPubkeys
            | Self::BannedEvents
            | Self::AllowedEvents
            | Self::AllowedKinds => mode == Mode::Managed,
            Self::BlockedIps => mode.is_managed(),
            Self::TrustedPubkeys | Self::BlacklistedPubkeys | Self::SpamEvents => {
                mode == Mode::Curating
            }
        }
    }

    /// The list that says the contrary: nothing is on both.
    pub(crate) const fn contrary(self) -> Option<Self> {
        match self {
            Self::BannedPubkeys => Some(Self::AllowedPubkeys),
            Self::AllowedPubkeys => Some(Self::BannedPubkeys),
            Self::BannedEvents => Some(Self::AllowedEvents),
            Self::AllowedEvents => Some(Self::BannedEvents),
            Self::TrustedPubkeys => Some(Self::BlacklistedPubkeys),
            Self::BlacklistedPubkeys => Some(Self::TrustedPubkeys),
            Self::AllowedKinds | Self::BlockedIps | Self::SpamEvents => None,
        }
    }

    /// The key of an entry's marker, behind the prefix of the mode.
    pub(crate) fn key(self, subject: Subject) -> String {
        format!("{}:{subject}", self.name())
    }

    /// Whether such a key is of this list.
    pub(crate) fn has_key(self, key: &str) -> bool {
        key.strip_prefix(self.name()).is_some_and(|rest| rest.starts_with(':'))
    }

    /// Reads such a key.
    fn from_key(key: &str) -> Option<(Self, Subject)> {
        let (name, text) = key.split_once(':')?;
        let list = Self::ALL.into_iter().find(|list| list.name() == name)?;
        Some((list, Subject::parse(list.holds(), text)?))
    }
}

impl Subject {
    /// Which kind of subject it is.
    pub const fn kind(self) -> SubjectKind {
        match self {
            Self::Pubkey(_) => SubjectKind::Pubkey,
            Self::Event(_) => SubjectKind::Event,
            Self::Kind(_) => SubjectKind::Kind,
            Self::Ip(_) => SubjectKind::Ip,
        }
    }

    /// Reads one as its `Display` writes it.
    pub fn parse(kind: SubjectKind, text: &str) -> Option<Self> {
        match kind {
            SubjectKind::Pubkey => text.parse().ok().map(Self::Pubkey),
            SubjectKind::Event => text.parse().ok().map(Self::Event),
            SubjectKind::Kind => text.parse().ok().map(Kind::new).map(Self::Kind),
            SubjectKind::Ip => text.parse().ok().map(|ip: IpAddr| Self::Ip(ip.to_canonical())),
        }
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pubkey(pubkey) => pubkey.fmt(f),
            Self::Event(id) => id.fmt(f),
            Self::Kind(kind) => kind.fmt(f),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

impl Entry {
    /// The value of its marker.
    pub(crate) fn to_marker(&self) -> Vec<u8> {
        let author = self.author.map(|author| author.to_string());
        json!({ "reason": self.reason, "added": self.added.as_secs(), "author": author })
            .to_string()
            .into_bytes()
    }

    fn from_marker(subject: Subject, value: &[u8]) -> Self {
        let value: serde_json::Value = serde_json::from_slice(value).unwrap_or_default();
        Self {
            subject,
            reason: value["reason"].as_str().unwrap_or_default().to_owned(),
            added: Timestamp::from_secs(value["added"].as_u64().unwrap_or_default()),
            author: value["author"].as_str().and_then(|text| text.parse().ok()),
        }
    }
}

/// All lists of a mode, in memory.
#[derive(Debug, Default)]
pub(crate) struct Lists(BTreeMap<List, BTreeMap<Subject, Entry>>);

impl Lists {
    /// Whether something is on a list.
    pub(crate) fn has(&self, list: List, subject: Subject) -> bool {
        self.0.get(&list).is_some_and(|entries| entries.contains_key(&subject))
    }

    /// Whether nothing is on a list.
    pub(crate) fn is_empty(&self, list: List) -> bool {
        self.0.get(&list).is_none_or(BTreeMap::is_empty)
    }

    /// What is on a list, in order.
    pub(crate) fn entries(&self, list: List) -> impl Iterator<Item = &Entry> {
        self.0.get(&list).into_iter().flat_map(BTreeMap::values)
    }

    /// Takes over a marker, or that it is gone.
    pub(crate) fn apply(&mut self, key: &str, value: Option<&[u8]>) {
        let Some((list, subject)) = List::from_key(key) else { return };
        let entries = self.0.entry(list).or_default();
        match value {
            Some(value) => drop(entries.insert(subject, Entry::from_marker(subject, value))),
            None => drop(entries.remove(&subject)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written() {
        let subjects = [
            (List::BannedPubkeys, Subject::Pubkey(Pubkey::new([7; 32]))),
            (List::SpamEvents, Subject::Event(EventId::new([8; 32]))),
            (List::AllowedKinds, Subject::Kind(Kind::new(30_023))),
            (List::BlockedIps, Subject::Ip("2001:db8::1".parse().unwrap())),
        ];
        for (list, subject) in subjects {
            let added = Timestamp::from_secs(5);
            let author = Some(Pubkey::new([9; 32]));
            let entry = Entry { subject, reason: "\"so\"".into(), added, author };
            let mut lists = Lists::default();
            lists.apply(&list.key(subject), Some(&entry.to_marker()));
            assert_eq!(lists.entries(list).collect::<Vec<_>>(), [&entry]);
            lists.apply(&list.key(subject), None);
            assert!(lists.is_empty(list) && !lists.has(list, subject));
        }
    }

    #[test]
    fn keys_that_mean_nothing_are_passed_over() {
        let mut lists = Lists::default();
        for key in ["", "revision", "banned-pubkeys:xyz", "unknown:1", "allowed-kinds:70000"] {
            lists.apply(key, Some(b"{}"));
        }
        assert!(List::ALL.iter().all(|list| lists.is_empty(*list)));
    }
}
