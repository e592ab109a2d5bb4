//! Addresses of replaceable and addressable events, `kind:pubkey:d` (NIP-01).

use std::fmt;

use crate::{EventRef, Kind, KindClass, Pubkey};

/// Names the newest event of a kind, an author and, for addressable kinds, a `d` tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The kind.
    pub kind: Kind,
    /// The author.
    pub pubkey: Pubkey,
    /// The `d` tag, written as events write it; empty for replaceable kinds.
    pub d: Box<str>,
}

impl Address {
    /// The address of an event, if its kind has one.
    pub fn of(event: EventRef<'_>) -> Option<Self> {
        let d = match event.kind().class() {
            KindClass::Replaceable => "",
            KindClass::Addressable => event.d_tag(),
            KindClass::Regular | KindClass::Ephemeral => return None,
        };
        Some(Self { kind: event.kind(), pubkey: event.pubkey(), d: d.into() })
    }

    /// Reads the value of an `a` tag.
    pub fn from_tag(value: &str) -> Option<Self> {
        let mut parts = value.splitn(3, ':');
        let kind = Kind::new(parts.next()?.parse().ok()?);
        let pubkey = Pubkey::from_hex(parts.next()?.as_bytes()).ok()?;
        let d = parts.next().unwrap_or_default();
        match kind.class() {
            KindClass::Replaceable => Some(Self { kind, pubkey, d: "".into() }),
            KindClass::Addressable => Some(Self { kind, pubkey, d: d.into() }),
            KindClass::Regular | KindClass::Ephemeral => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.pubkey, self.d)
    }
}

/// Whether `new` takes the place of `old` at the same address: it is later, or as late with the
/// lower id (NIP-01).
pub fn supersedes(new: EventRef<'_>, old: EventRef<'_>) -> bool {
    (old.created_at(), new.id()) < (new.created_at(), old.id())
}
