//! Kinds and what their number says about storage (NIP-01).

use std::fmt;

/// The kind of an event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(u16);

/// How a relay stores a kind (NIP-01).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KindClass {
    /// All are stored.
    Regular,
    /// Only the newest of a (pubkey, kind) is stored.
    Replaceable,
    /// Never stored, only passed on.
    Ephemeral,
    /// Only the newest of a (pubkey, kind, `d` tag) is stored.
    Addressable,
}

impl Kind {
    /// Deletion requests (NIP-09).
    pub const DELETION: Self = Self(5);
    /// Requests to vanish (NIP-62).
    pub const VANISH: Self = Self(62);
    /// Client authentication (NIP-42).
    pub const CLIENT_AUTH: Self = Self(22242);
    /// Messages of remote signers and their clients (NIP-46).
    pub const NOSTR_CONNECT: Self = Self(24133);
    /// HTTP authentication (NIP-98).
    pub const HTTP_AUTH: Self = Self(27235);
    /// Gift wraps (NIP-59).
    pub const GIFT_WRAP: Self = Self(1059);

    /// Kinds that only their author and the pubkeys they tag with `p` may read:
    /// direct messages (NIP-04), seals, private messages and gift wraps (NIP-17, NIP-59).
    pub const PRIVATE: [Self; 6] = [Self(4), Self(13), Self(14), Self(15), Self(1059), Self(21059)];

    /// Takes the number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn as_u16(self) -> u16 {
        self.0
    }

    /// How a relay stores it.
    pub const fn class(self) -> KindClass {
        match self.0 {
            0 | 3 | 10_000..20_000 => KindClass::Replaceable,
            20_000..30_000 => KindClass::Ephemeral,
            30_000..40_000 => KindClass::Addressable,
            _ => KindClass::Regular,
        }
    }

    /// Whether only its parties may read it.
    pub fn is_private(self) -> bool {
        Self::PRIVATE.contains(&self)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_follows_the_ranges_of_nip01() {
        let cases = [
            (0, KindClass::Replaceable),
            (1, KindClass::Regular),
            (3, KindClass::Replaceable),
            (9_999, KindClass::Regular),
            (10_000, KindClass::Replaceable),
            (19_999, KindClass::Replaceable),
            (20_000, KindClass::Ephemeral),
            (29_999, KindClass::Ephemeral),
            (30_000, KindClass::Addressable),
            (39_999, KindClass::Addressable),
            (40_000, KindClass::Regular),
        ];
        for (number, class) in cases {
            assert_eq!(Kind::new(number).class(), class, "kind {number}");
        }
    }
}
