//! Who a client is: NIP-42 on a WebSocket, NIP-98 on HTTP.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{Event, EventId, EventRef, Kind, Pubkey, Timestamp, Verifier, hex, unescaped};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

/// How old or young a NIP-42 event may be, in seconds.
const AUTH_WINDOW: u64 = 600;
/// How old or young a NIP-98 event may be, in seconds.
const HTTP_AUTH_WINDOW: u64 = 60;

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
        check_window(event, now, AUTH_WINDOW)?;
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
pub(crate) fn own_names<'a>(url: Option<&'a str>, host: &'a str) -> Vec<&'a str> {
    let bare = self::host(host).unwrap_or_default();
    let is_local = matches!(&*bare, "localhost" | "127.0.0.1" | "[::1]");
    url.into_iter().chain((url.is_none() || is_local).then_some(host)).collect()
}

/// NIP-98 events that were taken: each is good for one request.
#[derive(Default)]
pub(crate) struct SpentTokens(Mutex<HashMap<EventId, Timestamp>>);

impl SpentTokens {
    /// Takes a token; `false` if it was taken before.
    pub(crate) fn spend(&self, token: EventRef<'_>, now: Timestamp) -> bool {
        let mut spent = self.0.lock();
        spent.retain(|_, at| at.as_secs() + HTTP_AUTH_WINDOW >= now.as_secs());
        spent.insert(token.id(), token.created_at()).is_none()
    }
}

/// The event that an `Authorization` header carries, which proves its author for a request (NIP-98).
pub(crate) fn check_http(
    header: &str,
    method: &str,
    urls: &[String],
    body: Option<&[u8]>,
    now: Timestamp,
) -> Result<Event, String> {
    let token = header
        .strip_prefix("Nostr ")
        .ok_or("the Authorization header does not start with Nostr")?;
    let json = STANDARD.decode(token.trim()).map_err(|_| "the token is not base64")?;
    let json = String::from_utf8(json).map_err(|_| "the token is not UTF-8")?;
    let token = Event::from_json(&json).map_err(|error| error.to_string())?;
    let event = token.as_ref();
    if event.kind() != Kind::HTTP_AUTH {
        return Err(format!("kind is {}, 27235 is needed", event.kind()));
    }
    check_window(event, now, HTTP_AUTH_WINDOW)?;
    let tag = |name| event.tags().value_of(name).map(unescaped).unwrap_or_default();
    if !tag("method").eq_ignore_ascii_case(method) {
        return Err(format!("method is {}, the request's is {method}", tag("method")));
    }
    if !urls.iter().any(|url| without_scheme(url) == without_scheme(&tag("u"))) {
        return Err(format!("u is {}, the request's URL is {}", tag("u"), urls.join(" or ")));
    }
    if let (Some(body), payload) = (body, tag("payload"))
        && !payload.is_empty()
        && payload != hex::encode(&Sha256::digest(body))
    {
        return Err("payload is not the hash of the body".into());
    }
    Verifier::default().verify(event).map_err(|forged| forged.to_string())?;
    Ok(token)
}

fn check_window(event: EventRef<'_>, now: Timestamp, window: u64) -> Result<(), String> {
    let off = event.created_at().as_secs().abs_diff(now.as_secs());
    if off > window {
        Err(format!("created_at is {off} s off, {window} s are allowed"))
    } else {
        Ok(())
    }
}

/// A proxy may have ended TLS, so `https://` and `http://` are one.
fn without_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/')
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
    use event::{Draft, Keys};

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
        let url = Some("wss://relay.example");
        assert_eq!(own_names(None, "evil.example"), ["evil.example"]);
        assert_eq!(own_names(url, "evil.example"), ["wss://relay.example"]);
        for local in ["127.0.0.1:3334", "localhost", "[::1]:3334", "[::1]"] {
            assert_eq!(own_names(url, local), ["wss://relay.example", local]);
        }
    }

    #[test]
    fn an_http_token_is_for_one_url_and_method() {
        let now = Timestamp::from_secs(10_000);
        let check = |url: &str, method: &str| {
            let event = sign(
                Kind::HTTP_AUTH,
                10_030,
                &[["u", "https://r.example/api/export"], ["method", "GET"]],
            );
            let header = format!("Nostr {}", STANDARD.encode(event.as_ref().to_json()));
            check_http(&header, method, &[url.to_owned()], None, now)
        };
        assert!(check("http://r.example/api/export", "GET").is_ok());
        assert!(check("http://r.example/api/export", "POST").is_err());
        assert!(check("http://r.example/api/import", "GET").is_err());
    }

    #[test]
    fn a_token_is_good_once_and_forgotten_when_it_is_too_old_anyway() {
        let spent = SpentTokens::default();
        let token = sign(Kind::HTTP_AUTH, 10_000, &[]);
        let spend = |at| spent.spend(token.as_ref(), Timestamp::from_secs(at));
        assert!(spend(9_990));
        assert!(!spend(10_000));
        assert!(!spend(10_060));
        let later = sign(Kind::HTTP_AUTH, 10_061, &[]);
        assert!(spent.spend(later.as_ref(), Timestamp::from_secs(10_061)));
        assert_eq!(spent.0.lock().len(), 1);
    }
}
