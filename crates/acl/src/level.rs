//! What somebody may do.

use std::fmt;
use std::str::FromStr;

/// What somebody may do; a higher one may do all that a lower one may, up to [`AccessLevel::Banned`],
/// which only tells better why nothing is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Nothing.
    None,
    /// Nothing: the address is blocked.
    Blocked,
    /// Nothing: the pubkey is banned.
    Banned,
    /// Reading.
    Read,
    /// Publishing.
    Write,
    /// Managing the relay.
    Admin,
    /// Everything.
    Owner,
}

/// A text that is no level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no access level (none, read, write, admin, owner, banned, blocked)")]
pub struct UnknownLevel(String);

impl AccessLevel {
    /// All levels, the least first.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Blocked,
        Self::Banned,
        Self::Read,
        Self::Write,
        Self::Admin,
        Self::Owner,
    ];

    /// The level as the wire has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Blocked => "blocked",
            Self::Banned => "banned",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// Whether it lets somebody read.
    pub fn may_read(self) -> bool {
        self >= Self::Read
    }

    /// Whether it lets somebody publish.
    pub fn may_write(self) -> bool {
        self >= Self::Write
    }

    /// Whether it lets somebody manage the relay.
    pub fn may_manage(self) -> bool {
        self >= Self::Admin
    }
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AccessLevel {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        let level = Self::ALL.into_iter().find(|level| level.as_str() == text);
        level.ok_or_else(|| UnknownLevel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_is_read_as_it_is_written() {
        for level in AccessLevel::ALL {
            assert_eq!(level.as_str().parse(), Ok(level));
        }
        assert!("root".parse::<AccessLevel>().is_err());
    }

    #[test]
    fn who_is_banned_or_blocked_may_nothing() {
        let reads: Vec<_> = AccessLevel::ALL.into_iter().filter(|level| level.may_read()).collect();
        use AccessLevel::{Admin, Owner, Read, Write};
        assert_eq!(reads, [Read, Write, Admin, Owner]);
        assert!(!Read.may_write() && Write.may_write() && !Write.may_manage());
    }
}
