//! Who a client is: NIP-42 on a WebSocket, NIP-98 on HTTP.

use event::{EventRef, Kind, Pubkey, Timestamp, Verifier, hex, unescaped};
pub(crate) use event::{SpentTokens, check_http_auth as check_http};

use crate::About;

/// How old or young a NIP-42 event may be, in seconds.
const AUTH_WINDOW: u64 = 600;

/// What a client is to sign.
pub(crate) struct Challenge(String);

impl Challenge {
    pub(crate) fn new() -> Self {
        Self(hex::encode(&rand::random::<[u8; 16]>()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The pubkey that `event` proves, for a relay known under one of `hosts`.
    pub(crate) fn check(
        &self,
        event: EventRef<'_>,
        hosts: &[&str],
        now: Timestamp,
    ) -> Result<Pubkey, String> {
        if event.kind() != Kind::CLIENT_AUTH {
            return Err(format!("kind is {}, 22242 is needed", event.kind()));
        }
        check_window(event, now)?;
        if event.tags().value_of("challenge") != Some(self.as_str()) {
            return Err("challenge is not the one this relay sent".into());
        }
        let relay =
            event.tags().value_of("relay").map(unescaped).ok_or("the relay tag is missing")?;
        if !hosts.iter().any(|own| host(own).is_some_and(|own| Some(own) == host(&relay))) {
            return Err(format!("relay is {relay}, this is another one"));
        }
        Verifier::default().verify(event).map_err(|forged| forged.to_string())?;
        Ok(event.pubkey())
    }
}

/// The names this relay answers to, for a client that asked for `host`.
///
/// Who has a name takes no proof that was meant for another relay: that one may be passing it on. The
/// machine's own name is not another's.
pub(crate) fn own_names<'a>(about: &'a About, host: &'a str) -> Vec<&'a str> {
    let bare = self::host(host).unwrap_or_default();
    let is_local = matches!(&*bare, "localhost" | "127.0.0.1" | "[::1]");
    let names = about.url.iter().chain(&about.addresses).map(String::as_str);
    names.chain((about.url.is_none() || is_local).then_some(host)).collect()
}

fn check_window(event: EventRef<'_>, now: Timestamp) -> Result<(), String> {
    let off = event.created_at().as_secs().abs_diff(now.as_secs());
    if off > AUTH_WINDOW {
        Err(format!("created_at is {off} s off, {AUTH_WINDOW} s are allowed"))
    } else {
        Ok(())
    }
}

/// The host of a URL, or of a `Host` header, without its port.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Event, Keys};

    fn sign(kind: Kind, at: u64, tags: &[[&str; 2]]) -> Event {
        let tags = tags.iter().map(|tag| tag.map(String::from).to_vec()).collect();
        let draft =
            Draft { created_at: Timestamp::from_secs(at), kind, tags, content: String::new() };
        Keys::from_secret([9; 32]).unwrap().sign(&draft)
    }

    #[test]
    fn a_challenge_is_met_by_its_own_answer_only() {
        let challenge = Challenge("abc".into());
        let now = Timestamp::from_secs(10_000);
        let check = |kind, at, challenge_tag, relay| {
            let event = sign(kind, at, &[["relay", relay], ["challenge", challenge_tag]]);
            challenge.check(event.as_ref(), &["wss://Relay.example", "127.0.0.1:3334"], now)
        };
        let kind = Kind::CLIENT_AUTH;
        assert!(check(kind, 10_000, "abc", "wss://relay.example/").is_ok());
        assert!(check(kind, 9_500, "abc", "ws://127.0.0.1:3334").is_ok());
        assert!(
            check(kind, 9_000, "abc", "wss://relay.example").unwrap_err().contains("1000 s off")
        );
        assert!(
            check(kind, 10_000, "abd", "wss://relay.example").unwrap_err().contains("challenge")
        );
        assert!(
            check(kind, 10_000, "abc", "wss://other.example").unwrap_err().contains("another one")
        );
        assert!(check(Kind::new(1), 10_000, "abc", "wss://relay.example").is_err());
    }

    #[test]
    fn a_relay_with_a_name_answers_to_it_and_to_the_machines_own() {
        let mut about = About::default();
        assert_eq!(own_names(&about, "evil.example"), ["evil.example"]);
        about.url = Some("wss://relay.example".into());
        assert_eq!(own_names(&about, "evil.example"), ["wss://relay.example"]);
        for local in ["127.0.0.1:3334", "localhost", "[::1]:3334", "[::1]"] {
            assert_eq!(own_names(&about, local), ["wss://relay.example", local]);
        }
        about.addresses = vec!["ws://relay.onion".into()];
        assert_eq!(own_names(&about, "any"), ["wss://relay.example", "ws://relay.onion"]);
    }
}
