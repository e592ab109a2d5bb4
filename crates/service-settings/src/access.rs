//! Who may read and write: what the relay and the access control service are both told.

use std::time::Duration;

use acl::{FollowsSettings, Mode, Settings, ThrottleSettings};
use daemon::Setting;
use event::Pubkey;
use relay_client::PeerUrl;

use crate::{Key, RelayAddresses};

daemon::settings! {
    /// Who may read and write.
    #[derive(Clone, Debug)]
    pub struct AccessControl {
        section "Access control" {
            /// Who may do everything; the first is named as the operator (NIP-11).
            owners: Vec<Key> = "ORLY_OWNERS", "";
            /// Who may import, export, delete, and manage the relay (NIP-86).
            admins: Vec<Key> = "ORLY_ADMINS", "";
            /// Who may read and write: everybody; those whom owners and admins follow; those whom an operator
            /// lets in (NIP-86); newcomers a little and trusted authors all. `curation` is curating.
            mode: AclMode = "ORLY_ACL_MODE", "none";
            /// Where follow lists are fetched while no owner or admin names a relay (kind 10002), for
            /// `ORLY_ACL_MODE=follows`.
            bootstrap_relays: BootstrapRelays = "ORLY_BOOTSTRAP_RELAYS",
                "wss://relay.damus.io,wss://nos.lol,wss://purplepag.es";
            /// How often follow lists are fetched.
            follow_list_frequency: Duration = "ORLY_FOLLOW_LIST_FREQUENCY", "1h";
            /// Whether relays that owners and admins name (kind 10002) may be at private addresses.
            private_relays: bool = "ORLY_FOLLOWS_PRIVATE_RELAYS", "false";
            /// Whether those may write whom nobody follows, each event slower than the one before.
            throttle: bool = "ORLY_FOLLOWS_THROTTLE" | "ORLY_FOLLOWS_THROTTLE_ENABLED", "false";
            /// By how much each event slows them down; time takes it away again.
            throttle_increment: Duration =
                "ORLY_FOLLOWS_THROTTLE_INCREMENT" | "ORLY_FOLLOWS_THROTTLE_PER_EVENT", "25ms";
            /// How slow they may become.
            throttle_max: Duration =
                "ORLY_FOLLOWS_THROTTLE_MAX" | "ORLY_FOLLOWS_THROTTLE_MAX_DELAY", "60s";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl AccessControl {
    /// What access control is told, for the relay at `own`.
    pub fn settings(&self, auth_required: bool, own: &RelayAddresses) -> Settings {
        Settings {
            mode: self.mode.0,
            owners: self.owners(),
            admins: self.admins(),
            auth_required,
            follows: FollowsSettings {
                bootstrap: self.bootstrap_relays.0.clone(),
                own: own.peers(),
                every: self.follow_list_frequency.max(Duration::from_secs(1)),
                allow_private: self.private_relays,
                throttle: self.throttle.then_some(ThrottleSettings {
                    per_event: self.throttle_increment,
                    max: self.throttle_max,
                }),
            },
        }
    }

    /// Who may do everything.
    pub fn owners(&self) -> Vec<Pubkey> {
        self.owners.iter().map(|key| key.0).collect()
    }

    /// Who may manage the relay.
    pub fn admins(&self) -> Vec<Pubkey> {
        self.admins.iter().map(|key| key.0).collect()
    }

    /// Says what the mode lacks to be of use.
    pub fn warn(&self) {
        let mode = self.mode.0;
        if mode != Mode::None && self.owners.is_empty() && self.admins.is_empty() {
            tracing::warn!(%mode, "nobody can manage this relay: set ORLY_OWNERS or ORLY_ADMINS");
        }
    }
}

/// How access is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclMode(pub Mode);

impl Setting for AclMode {
    fn expected() -> String {
        "none, follows, managed or curating".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.to_ascii_lowercase().parse().ok().map(Self)
    }
}

/// Relays that are asked while nobody named any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootstrapRelays(pub Vec<PeerUrl>);

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

#[cfg(test)]
mod tests {
    use super::*;
    use daemon::Environment;

    fn read<S: daemon::Settings>(variables: &[(&str, &str)]) -> Result<S, String> {
        let environment = Environment::of(variables.iter().copied());
        daemon::load(&environment).settings.map_err(|faults| faults.to_string())
    }

    fn follows(access: &AccessControl, own: &[(&str, &str)]) -> FollowsSettings {
        access.settings(false, &read(own).unwrap()).follows
    }

    #[test]
    fn the_names_of_the_original_and_of_its_service_mean_the_same() {
        for names in [
            [
                "ORLY_FOLLOWS_THROTTLE",
                "ORLY_FOLLOWS_THROTTLE_INCREMENT",
                "ORLY_FOLLOWS_THROTTLE_MAX",
            ],
            [
                "ORLY_FOLLOWS_THROTTLE_ENABLED",
                "ORLY_FOLLOWS_THROTTLE_PER_EVENT",
                "ORLY_FOLLOWS_THROTTLE_MAX_DELAY",
            ],
        ] {
            let values = ["true", "50ms", "5s"];
            let variables: Vec<_> = names.into_iter().zip(values).collect();
            let throttle = follows(&read(&variables).unwrap(), &[]).throttle;
            let expected = ThrottleSettings {
                per_event: Duration::from_millis(50),
                max: Duration::from_secs(5),
            };
            assert_eq!(throttle, Some(expected), "{names:?}");
        }
        assert_eq!(
            read::<AccessControl>(&[("ORLY_ACL_MODE", "curation")]).unwrap().mode.0,
            Mode::Curating
        );
    }

    #[test]
    fn relays_for_a_start_are_those_named_or_none() {
        let own =
            [("ORLY_RELAY_URL", "wss://me.example"), ("ORLY_RELAY_ADDRESSES", "ws://x.onion")];
        let relays =
            |value| read(&[("ORLY_BOOTSTRAP_RELAYS", value)]).map(|access| follows(&access, &own));
        assert!(relays("none").unwrap().bootstrap.is_empty());
        let found = relays("wss://a.example, b.example").unwrap();
        assert_eq!(found.bootstrap.len(), 2);
        let own: Vec<&str> = found.own.iter().map(PeerUrl::as_str).collect();
        assert_eq!(own, ["wss://me.example", "ws://x.onion"]);
        assert!(relays("a b").unwrap_err().contains("addresses of relays"));
    }
}
