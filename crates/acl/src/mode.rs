//! The ways to decide who may do what.

use std::fmt;
use std::str::FromStr;

/// A way to decide who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Everybody may read and write.
    None,
    /// Those may write whom an owner or admin follows.
    Follows,
    /// An operator says who may do what (NIP-86).
    Managed,
    /// Newcomers may write a little, trusted authors all, blacklisted ones nothing.
    Curating,
}

/// A text that is no mode.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no mode of access control (none, follows, managed, curating)")]
pub struct UnknownMode(String);

impl Mode {
    /// All modes.
    pub const ALL: [Self; 4] = [Self::None, Self::Follows, Self::Managed, Self::Curating];

    /// The mode as the wire has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Follows => "follows",
            Self::Managed => "managed",
            Self::Curating => "curating",
        }
    }

    /// Whether each event is looked at, not only who sends it.
    pub fn checks_events(self) -> bool {
        matches!(self, Self::Managed | Self::Curating)
    }

    /// Whether some authors are hidden from readers.
    pub fn hides_authors(self) -> bool {
        self == Self::Curating
    }

    /// Whether an operator changes it at run time (NIP-86).
    pub fn is_managed(self) -> bool {
        matches!(self, Self::Managed | Self::Curating)
    }

    /// One sentence about it.
    pub const fn description(self) -> &'static str {
        match self {
            Self::None => "everybody may read and write",
            Self::Follows => "those may write whom an owner or admin follows",
            Self::Managed => "an operator says who may do what (NIP-86)",
            Self::Curating => {
                "newcomers may write a little, trusted authors all, blacklisted authors nothing"
            }
        }
    }

    /// How to use it.
    pub const fn documentation(self) -> &'static str {
        match self {
            Self::None => "Owners and admins may manage the relay; nothing else is decided.",
            Self::Follows => {
                "Set ORLY_ADMINS. Their follow lists (kind 3) are read from the event store and fetched \
                 from the relays they name (kind 10002), else from ORLY_BOOTSTRAP_RELAYS. Others may \
                 read; with ORLY_FOLLOWS_THROTTLE they may write, the slower the more they do."
            }
            Self::Managed => {
                "Set ORLY_OWNERS, and call the NIP-86 methods of the relay: pubkeys, events, kinds and \
                 addresses are allowed or banned. Who is on no list may read."
            }
            Self::Curating => {
                "Publish a kind 30078 with the d tag curating-config as owner or admin: its tags \
                 daily_limit, ip_daily_limit, first_ban_hours, second_ban_hours, kind, kind_range and \
                 kind_category say what newcomers may do. Trust or blacklist authors by NIP-86."
            }
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    /// Reads a mode; `curation` is another name of curating.
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let name = if text == "curation" { "curating" } else { text };
        let mode = Self::ALL.into_iter().find(|mode| mode.as_str() == name);
        mode.ok_or_else(|| UnknownMode(text.to_owned()))
    }
}
