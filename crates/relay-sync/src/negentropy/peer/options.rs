//! What is synchronised, and how.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use event::Filter;
use reconcile::FrameSizeLimit;
use store::{Hidden, Private, Viewer};

use super::policy::{Admission, Fruitless};

/// Which way events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Direction {
    /// From the peer to us.
    #[default]
    Down,
    /// From us to the peer.
    Up,
    /// Both ways.
    Both,
    /// Nowhere: differences are counted and named.
    None,
}

/// Whether kinds that only their parties may read are part of our set, and events that only their author
/// may publish (NIP-70) are given and taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum PrivateKinds {
    /// They are not: the peer learns nothing of ours. Private kinds that it gives are taken nevertheless.
    #[default]
    Withhold,
    /// They are: the peer is trusted as this relay is.
    Include,
}

/// How to synchronise.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// What; its limit does not count.
    pub filter: Filter,
    /// Which way.
    pub direction: Direction,
    /// Private kinds.
    pub private_kinds: PrivateKinds,
    /// How large our messages may be.
    pub frame_size_limit: FrameSizeLimit,
    /// How many events our own set may have where it has to be gathered; a larger one is divided by time.
    pub max_records: u64,
    /// How many bytes of memory this process may take: large batches are saved with less writing.
    pub memory: u64,
    /// What is taken of what the peer gives, beside the store's own rules and NIP-70.
    pub admission: Option<Admission>,
    /// What is not asked for again, for a peer that is synchronised often.
    pub fruitless: Option<Arc<Fruitless>>,
    /// How to talk to the peer.
    pub client: relay_client::Options,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            filter: Filter::default(),
            direction: Direction::default(),
            private_kinds: PrivateKinds::default(),
            frame_size_limit: FrameSizeLimit::new(60_000).expect("above the least"),
            max_records: 1_000_000,
            memory: 512 << 20,
            admission: None,
            fruitless: None,
            client: relay_client::Options::default(),
        }
    }
}

impl SyncOptions {
    /// On whose behalf our own set is read. Hidden authors are hidden from readers, not from other relays:
    /// what was left out would be fetched anew each time.
    pub(super) fn viewer(&self) -> Viewer {
        let private = match self.private_kinds {
            PrivateKinds::Withhold => Private::Of(Vec::new()),
            PrivateKinds::Include => Private::All,
        };
        Viewer { private, hidden: Hidden::Shown }
    }
}

impl Direction {
    /// Whether we take events.
    pub fn fetches(self) -> bool {
        matches!(self, Self::Down | Self::Both)
    }

    /// Whether we give events.
    pub fn publishes(self) -> bool {
        matches!(self, Self::Up | Self::Both)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Both => "both",
            Self::None => "none",
        })
    }
}

/// A word that names no direction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected up, down, both or none")]
pub struct InvalidDirection;

impl FromStr for Direction {
    type Err = InvalidDirection;

    fn from_str(text: &str) -> Result<Self, InvalidDirection> {
        match text {
            "down" => Ok(Self::Down),
            "up" => Ok(Self::Up),
            "both" => Ok(Self::Both),
            "none" => Ok(Self::None),
            _ => Err(InvalidDirection),
        }
    }
}
