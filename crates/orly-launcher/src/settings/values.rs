//! Values that only the launcher's variables have.

use std::fmt;

use daemon::{Setting, choice};
use rpc::Address;

/// Where a service listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceAddress(pub(crate) Address);

impl Setting for ServiceAddress {
    fn expected() -> String {
        format!("{}, with a port that is not 0", Address::EXPECTED)
    }

    /// Others have to know the port.
    fn parse(text: &str) -> Option<Self> {
        let address = text.parse().ok()?;
        (!matches!(address, Address::Tcp { port: 0, .. })).then_some(Self(address))
    }
}

/// An engine of the event store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DbBackend {
    Badger,
    Neo4j,
}

impl Setting for DbBackend {
    fn expected() -> String {
        "badger (the embedded engine) or neo4j".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("badger", Self::Badger), ("lmdb", Self::Badger), ("neo4j", Self::Neo4j)], text)
    }
}

impl fmt::Display for DbBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Badger => "badger",
            Self::Neo4j => "neo4j",
        })
    }
}

/// An address of HTTP, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HttpUrl(pub(crate) String);

impl Setting for HttpUrl {
    fn expected() -> String {
        "a URL such as https://admin.example.com".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let is_host =
            !rest.starts_with('/') && !rest.is_empty() && !rest.contains(char::is_whitespace);
        is_host.then(|| Self(text.trim_end_matches('/').to_owned()))
    }
}
