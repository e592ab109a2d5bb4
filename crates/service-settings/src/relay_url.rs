//! The relay's own address.

use daemon::Setting;

/// The relay's public address: `ws://` or `wss://`, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayUrl(String);

impl RelayUrl {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<RelayUrl> for String {
    fn from(url: RelayUrl) -> Self {
        url.0
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
