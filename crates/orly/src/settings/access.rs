//! Who may read and write.

use acl::{FollowsSettings, Mode, ThrottleSettings};
use daemon::{Setting, choice};
use relay::AddressRange;
use relay_client::PeerUrl;

use super::Settings;

impl Settings {
    /// What access control in this process is told.
    pub(crate) fn access_control(&self) -> acl::Settings {
        let own = self.own_addresses.iter().map(|url| url.0.clone());
        acl::Settings {
            mode: self.acl_mode.0,
            owners: self.owners.iter().map(|key| key.0).collect(),
            admins: self.admins.iter().map(|key| key.0).collect(),
            auth_required: self.auth_required,
            follows: FollowsSettings {
                bootstrap: self.bootstrap_relays.0.clone(),
                own: own.chain(self.url().and_then(|url| url.parse().ok())).collect(),
                every: self.follow_list_frequency,
                allow_private: self.follows_private_relays,
                throttle: self.follows_throttle.then_some(ThrottleSettings {
                    per_event: self.follows_throttle_increment,
                    max: self.follows_throttle_max,
                }),
            },
        }
    }

    /// Says what a mode lacks to be of use.
    pub(crate) fn warn_of_access(&self) {
        let mode = self.acl_mode.0;
        if mode != Mode::None && self.owners.is_empty() && self.admins.is_empty() {
            tracing::warn!(%mode, "nobody can manage this relay: set ORLY_OWNERS or ORLY_ADMINS");
        }
    }
}

/// How access is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AclMode(pub(crate) Mode);

impl Setting for AclMode {
    fn expected() -> String {
        "none, follows, managed or curating".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.to_ascii_lowercase().parse().ok().map(Self)
    }
}

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

/// One of the relay's own addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnAddress(pub(crate) PeerUrl);

impl Setting for OwnAddress {
    fn expected() -> String {
        "the address of a relay such as wss://relay.example.com".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Relays that are asked while nobody named any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BootstrapRelays(pub(crate) Vec<PeerUrl>);

impl Setting for BootstrapRelays {
    fn expected() -> String {
        "addresses of relays, separated by commas, or none".into()
    }

    fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("none") {
            return Some(Self(Vec::new()));
        }
        let urls = text.split(',').map(str::trim).filter(|url| !url.is_empty());
        urls.map(|url| url.parse().ok()).collect::<Option<_>>().map(Self)
    }
}
