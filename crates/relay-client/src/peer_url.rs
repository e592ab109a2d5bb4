//! The address of another relay.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// The address of a relay, `ws://…` or `wss://…`, in one spelling for each.
///
/// An address without a scheme means `wss://`; the usual port and a lonely slash at the end are left out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerUrl {
    text: String,
    host: String,
    port: u16,
    security: Security,
}

/// Whether a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Security {
    Plain,
    Tls,
}

/// A text that is not the address of a relay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the address of a relay, such as wss://relay.example.com")]
pub struct InvalidPeerUrl(String);

impl PeerUrl {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn security(&self) -> Security {
        self.security
    }

    /// The host's name, or its address without brackets.
    pub(crate) fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What a `Host` header holds.
    pub(crate) fn authority(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or_default()
    }

    pub(crate) fn path(&self) -> &str {
        let rest = self.text.split_once("://").map_or("", |(_, rest)| rest);
        rest.find('/').map_or("/", |start| &rest[start..])
    }
}

impl FromStr for PeerUrl {
    type Err = InvalidPeerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPeerUrl> {
        parse(text.trim()).ok_or_else(|| InvalidPeerUrl(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<PeerUrl> {
    let with_scheme = if text.contains("://") { text.into() } else { format!("wss://{text}") };
    let uri: Uri = with_scheme.parse().ok()?;
    let (security, scheme, usual_port) = match uri.scheme_str()? {
        "ws" | "http" => (Security::Plain, "ws", 80),
        "wss" | "https" => (Security::Tls, "wss", 443),
        _ => return None,
    };
    let authority = uri.authority()?;
    if authority.as_str().contains('@') || uri.host()?.is_empty() {
        return None;
    }
    let host = uri.host()?.to_ascii_lowercase();
    let has_port = authority.as_str().len() > authority.host().len();
    let port = if has_port { authority.port_u16()? } else { usual_port };
    let port_text = if port == usual_port { String::new() } else { format!(":{port}") };
    let path = uri.path_and_query().map_or("", |path| path.as_str()).trim_end_matches('/');
    Some(PeerUrl { text: format!("{scheme}://{host}{port_text}{path}"), host, port, security })
}

impl fmt::Display for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PeerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_relay_has_one_spelling() {
        let cases = [
            ("wss://Relay.Example.com:443/", "wss://relay.example.com"),
            ("relay.example.com", "wss://relay.example.com"),
            ("ws://127.0.0.1:3334", "ws://127.0.0.1:3334"),
            ("http://h/inbox/", "ws://h/inbox"),
            ("https://h:8443/a?b=c", "wss://h:8443/a?b=c"),
            ("ws://[::1]:7777/", "ws://[::1]:7777"),
            ("ws://h:80", "ws://h"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<PeerUrl>().unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn parts_are_what_a_connection_needs() {
        let url: PeerUrl = "ws://[::1]:7777/relay".parse().unwrap();
        assert_eq!((url.host(), url.port(), url.security()), ("::1", 7777, Security::Plain));
        assert_eq!((url.authority(), url.path()), ("[::1]:7777", "/relay"));
        let url: PeerUrl = "wss://relay.example.com".parse().unwrap();
        assert_eq!(
            (url.host(), url.port(), url.security()),
            ("relay.example.com", 443, Security::Tls)
        );
        assert_eq!((url.authority(), url.path()), ("relay.example.com", "/"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "ftp://h", "ws://", "ws://user:pass@h", "ws://h:99999", "a b"] {
            assert!(text.parse::<PeerUrl>().is_err(), "{text}");
        }
    }
}
