//! Where clients find the relay.

use daemon::Setting;
use relay_client::PeerUrl;

use crate::RelayUrl;

daemon::settings! {
    /// Where clients find the relay.
    #[derive(Clone, Debug)]
    pub struct RelayAddresses {
        section "Addresses of the relay" {
            /// Public address of the relay, as clients write it: NIP-42 and NIP-98 are checked against it, requests
            /// to vanish (NIP-62) name it, and it is neither asked for follow lists nor synchronised with.
            url: Option<RelayUrl> = "ORLY_RELAY_URL", "";
            /// Other addresses of the relay, each as good as `ORLY_RELAY_URL`.
            others: Vec<OwnAddress> = "ORLY_RELAY_ADDRESSES", "";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl RelayAddresses {
    /// The other addresses, as text.
    pub fn others(&self) -> Vec<String> {
        self.others.iter().map(|own| own.0.to_string()).collect()
    }

    /// All addresses, as text.
    pub fn urls(&self) -> Vec<String> {
        self.url.clone().map(String::from).into_iter().chain(self.others()).collect()
    }

    /// All addresses, as those of peers are written.
    pub fn peers(&self) -> Vec<PeerUrl> {
        let others = self.others.iter().map(|own| own.0.clone());
        self.url.iter().filter_map(|url| url.as_str().parse().ok()).chain(others).collect()
    }
}

/// One of the relay's own addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddress(PeerUrl);

impl Setting for OwnAddress {
    fn expected() -> String {
        "the address of a relay such as wss://relay.example.com".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}
