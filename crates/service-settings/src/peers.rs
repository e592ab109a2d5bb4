//! What is said of peers.

use daemon::{Setting, choice};
use event::{Filter, Kind};
use relay_client::PeerUrl;
use relay_sync::Direction;

/// A relay to be kept in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer(pub PeerUrl);

impl Setting for Peer {
    fn expected() -> String {
        "the URL of a relay such as wss://relay.example.com".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Which way events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerDirection(pub Direction);

impl Setting for PeerDirection {
    fn expected() -> String {
        "down, up or both".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let directions =
            [("down", Direction::Down), ("up", Direction::Up), ("both", Direction::Both)];
        choice(&directions, text).map(Self)
    }
}

/// How many bytes an id had on the wire of an older protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdSize(u8);

impl IdSize {
    /// What the original has.
    pub const DEFAULT: Self = Self(16);
}

impl Setting for IdSize {
    fn expected() -> String {
        "a number from 8 to 32".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|size| (8..=32).contains(size)).map(Self)
    }
}

/// A kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindNumber(pub Kind);

impl Setting for KindNumber {
    fn expected() -> String {
        "the number of a kind (0 to 65535)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Kind::new).map(Self)
    }
}

/// A filter as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncFilter(pub Filter);

impl Setting for SyncFilter {
    fn expected() -> String {
        r#"a filter such as {"kinds":[0,1,3]}"#.into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}
