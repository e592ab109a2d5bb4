//! Values that only the relay's variables have.

use daemon::{Setting, choice};

/// Where trusted proxies are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proxies(pub(crate) relay::Network);

impl Setting for Proxies {
    fn expected() -> String {
        "an address or a network such as 10.0.0.0/8 or fd00::/8".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.trim_matches(['[', ']']).parse().ok().map(Self)
    }
}

/// Something that cannot be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Off;

impl Setting for Off {
    fn expected() -> String {
        "false: this is not built yet, and the relay would let through what it is to stop".into()
    }

    fn parse(text: &str) -> Option<Self> {
        bool::parse(text).filter(|on| !on).map(|_| Self)
    }
}

/// Something that cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unset;

impl Setting for Unset {
    fn expected() -> String {
        "nothing: this is not built yet".into()
    }

    fn parse(_: &str) -> Option<Self> {
        None
    }

    fn empty() -> Option<Self> {
        Some(Self)
    }
}

/// Where events are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// In this process.
    Embedded,
    /// In another one.
    Grpc,
}

impl Setting for Database {
    fn expected() -> String {
        "badger, the embedded store, or grpc, a database service (neo4j is not built yet)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("badger", Self::Embedded), ("grpc", Self::Grpc)], text)
    }
}
/// Where clients' reconciliations are answered and peers kept in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SyncHost {
    /// In this process.
    Local,
    /// In another one.
    Grpc,
}

impl Setting for SyncHost {
    fn expected() -> String {
        "local or grpc".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("local", Self::Local), ("grpc", Self::Grpc)], text)
    }
}
