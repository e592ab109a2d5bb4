//! Values that only the relay's variables have.

use daemon::{Setting, choice};
use event::Pubkey;

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) Pubkey);

impl Setting for Key {
    fn expected() -> String {
        "a public key (npub1… or 64 hex digits)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Pubkey::from_hex_or_npub(text).ok().map(Self)
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

/// The relay's public address: `ws://` or `wss://`, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelayUrl(String);

impl RelayUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for RelayUrl {
    fn expected() -> String {
        "a URL such as wss://relay.example.com".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let schemes = [
            ("wss://", "wss://"),
            ("ws://", "ws://"),
            ("https://", "wss://"),
            ("http://", "ws://"),
        ];
        let (written, scheme) =
            schemes.into_iter().find(|(written, _)| text.starts_with(written))?;
        let rest = text[written.len()..].trim_end_matches('/');
        let host = rest.split('/').next().unwrap_or_default();
        let is_host = !host.is_empty() && !rest.contains(char::is_whitespace);
        is_host.then(|| Self(format!("{scheme}{rest}")))
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

macro_rules! choices {
    ($(#[$meta:meta])* $name:ident::$variant:ident = $text:literal, $expected:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $name {
            $variant,
        }

        impl Setting for $name {
            fn expected() -> String {
                $expected.into()
            }

            fn parse(text: &str) -> Option<Self> {
                choice(&[($text, Self::$variant)], text)
            }
        }
    };
}

choices!(
    /// Which engine keeps events.
    Database::Embedded = "badger",
    "badger, the embedded store (neo4j and grpc are not built yet)"
);
choices!(
    /// Where events are synchronised.
    SyncHost::Local = "local",
    "local (grpc is not built yet)"
);
