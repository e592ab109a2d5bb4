//! Values that only the relay's variables have.

use std::time::Duration;

use daemon::{Setting, choice};
use relay::AddressRange;

/// How often something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval(pub(crate) Duration);

impl Setting for Interval {
    fn expected() -> String {
        "a duration above 0, such as 250ms, 30s, 5m or 1h30m".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Duration::parse(text).filter(|interval| !interval.is_zero()).map(Self)
    }
}

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

/// Where a part of the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// In this process.
    Local,
    /// In another one.
    Grpc,
}

impl Setting for Host {
    fn expected() -> String {
        "local or grpc".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("local", Self::Local), ("grpc", Self::Grpc)], text)
    }
}

/// Addresses that may or may not connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses(pub(crate) AddressRange);

impl Setting for Addresses {
    fn expected() -> String {
        "an address, a network such as 10.0.0.0/8, or the first numbers of an address such as 10.1."
            .into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}
