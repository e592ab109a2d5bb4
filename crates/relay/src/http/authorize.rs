//! Who asks over HTTP: owners and admins, proven by NIP-98.

use event::{Event, Timestamp};
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::{Body, text};
use crate::auth::{check_http, own_names};
use crate::relay::Relay;

/// What a token has to be for.
pub(super) enum Scope<'a> {
    /// The URL and method of the request, whatever its body.
    Request,
    /// The same, and this body, if it names one.
    Body(&'a [u8]),
    /// The same, or the URL of the relay, and with the hash of this body (NIP-86).
    Management(&'a [u8]),
}

/// The token of the owner or admin who asks; it is good once.
#[expect(clippy::result_large_err, reason = "a response is what the caller returns at once")]
pub(super) fn authorize(
    relay: &Relay,
    head: &Parts,
    scope: &Scope<'_>,
) -> Result<Event, Response<Body>> {
    let header = head.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let header = header.ok_or_else(|| unauthorized("the Authorization header is missing"))?;
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let names = own_names(&relay.settings.about, host.unwrap_or_default());
    let names = names.iter().map(|name| name.trim_end_matches('/'));
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    let mut urls: Vec<String> = names.clone().map(|name| format!("{name}{path}")).collect();
    let body = match scope {
        Scope::Request => None,
        Scope::Body(body) => Some(*body),
        Scope::Management(body) => {
            urls.extend(names.filter(|_| path != "/").map(ToOwned::to_owned));
            Some(*body)
        }
    };
    let now = Timestamp::now();
    let token = check_http(header, head.method.as_str(), &urls, body, now);
    let token = token.map_err(|reason| unauthorized(&reason))?;
    if matches!(scope, Scope::Management(_)) && token.as_ref().tags().value_of("payload").is_none()
    {
        return Err(unauthorized("the payload tag is missing, the hash of the body"));
    }
    let pubkey = token.as_ref().pubkey();
    if !relay.is_admin(&pubkey) {
        let reason = format!("{pubkey} is no owner or admin (ORLY_OWNERS, ORLY_ADMINS)");
        return Err(text(StatusCode::FORBIDDEN, reason));
    }
    if !relay.spent_tokens.spend(token.as_ref(), now) {
        return Err(unauthorized("the token was used already, sign a new one"));
    }
    Ok(token)
}

fn unauthorized(reason: &str) -> Response<Body> {
    let mut response = text(StatusCode::UNAUTHORIZED, format!("NIP-98 authentication: {reason}"));
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Nostr"));
    response
}
