//! Where access is decided, and from which addresses clients may come.

use daemon::{Setting, choice};
use relay::AddressRange;

/// Where access is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessControlHost {
    /// In this process.
    Local,
    /// In another one.
    Grpc,
}

impl Setting for AccessControlHost {
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
