//! HTTP requests that a key signs (NIP-98).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::{Event, EventId, EventRef, Kind, Timestamp, Verifier, hex, unescaped};

/// How old or young such an event may be, in seconds.
const WINDOW: u64 = 60;

/// The event that an `Authorization` header carries, which proves its author for one request: of this method,
/// to one of `urls`, and with this body if it names one.
pub fn check_http_auth(
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
    let off = event.created_at().as_secs().abs_diff(now.as_secs());
    if off > WINDOW {
        return Err(format!("created_at is {off} s off, {WINDOW} s are allowed"));
    }
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

/// A proxy may have ended TLS, so `https://` and `http://` are one.
fn without_scheme(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/')
}

/// Events that were taken: each is good for one request.
#[derive(Debug, Default)]
pub struct SpentTokens(Mutex<HashMap<EventId, Timestamp>>);

impl SpentTokens {
    /// Takes an event; `false` if it was taken before.
    pub fn spend(&self, token: EventRef<'_>, now: Timestamp) -> bool {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spent.retain(|_, at| at.as_secs() + WINDOW >= now.as_secs());
        spent.insert(token.id(), token.created_at()).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Keys};

    fn sign(at: u64, tags: &[[&str; 2]]) -> Event {
        let tags = tags.iter().map(|tag| tag.map(String::from).to_vec()).collect();
        let created_at = Timestamp::from_secs(at);
        let draft = Draft { created_at, kind: Kind::HTTP_AUTH, tags, content: String::new() };
        Keys::from_secret([9; 32]).unwrap().sign(&draft)
    }

    #[test]
    fn a_token_is_for_one_url_method_and_body() {
        let now = Timestamp::from_secs(10_000);
        let hash = hex::encode(&Sha256::digest(b"{}"));
        let tags =
            [["u", "https://r.example/api/export"], ["method", "GET"], ["payload", hash.as_str()]];
        let check = |at: u64, url: &str, method: &str, body: &[u8]| {
            let header = format!("Nostr {}", STANDARD.encode(sign(at, &tags).as_ref().to_json()));
            check_http_auth(&header, method, &[url.to_owned()], Some(body), now)
        };
        let url = "http://r.example/api/export";
        assert!(check(10_030, url, "get", b"{}").is_ok());
        let cases = [
            (10_030, url, "POST", "method is GET, the request's is POST"),
            (10_030, "http://r.example/api/import", "GET", "the request's URL is"),
            (10_061, url, "GET", "61 s off"),
            (9_939, url, "GET", "61 s off"),
        ];
        for (at, url, method, expected) in cases {
            let error = check(at, url, method, b"{}").unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
        assert!(check(10_000, url, "GET", b"{ }").unwrap_err().contains("payload"));
    }

    #[test]
    fn a_token_is_good_once_and_forgotten_when_it_is_too_old_anyway() {
        let spent = SpentTokens::default();
        let token = sign(10_000, &[]);
        let spend = |at| spent.spend(token.as_ref(), Timestamp::from_secs(at));
        assert!(spend(9_990));
        assert!(!spend(10_000));
        assert!(!spend(10_060));
        let later = sign(10_061, &[]);
        assert!(spent.spend(later.as_ref(), Timestamp::from_secs(10_061)));
        assert_eq!(spent.0.lock().unwrap().len(), 1);
    }
}
