//! Who asks: an owner, proven by NIP-98, or a session.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use event::{Timestamp, check_http_auth};

use super::Shared;

/// Who may ask, and is not to sign the next request.
pub(super) enum Visitor {
    /// An owner signed this request.
    Owner,
    /// A session of this name.
    Session(String),
}

/// A request that is not answered, and why.
pub(super) type Denied = (StatusCode, String);

impl Shared {
    /// Who asks.
    pub(super) fn visitor(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Visitor, Denied> {
        let denied = |reason: String| (StatusCode::UNAUTHORIZED, reason);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = text(header::AUTHORIZATION).ok_or_else(|| {
            denied("the Authorization header is missing: sign the request (NIP-98)".into())
        })?;
        if let Some(name) = authorization.strip_prefix("Bearer ") {
            if !self.sessions.has(name.trim()) {
                return Err(denied("the session is over: sign in again".into()));
            }
            return Ok(Visitor::Session(name.trim().to_owned()));
        }
        let owners = &self.settings.variables.owners;
        if owners.is_empty() {
            let reason =
                "nobody is an owner: set ORLY_LAUNCHER_OWNERS, or use `orly-launcher login`";
            return Err((StatusCode::FORBIDDEN, reason.into()));
        }
        let host = text(header::HOST).unwrap_or_default();
        let name = self.own_name(host).ok_or_else(|| {
            denied(format!(
                "{host} is not known to be this launcher: set ORLY_LAUNCHER_ADMIN_URL to its address"
            ))
        })?;
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let urls = [format!("{name}{path}")];
        let now = Timestamp::now();
        let token = check_http_auth(authorization, method.as_str(), &urls, Some(body), now);
        let token = token.map_err(denied)?;
        let token = token.as_ref();
        if !body.is_empty() && token.tags().value_of("payload").is_none() {
            return Err(denied("the payload tag is missing, the hash of the body".into()));
        }
        let pubkey = token.pubkey();
        if !owners.iter().any(|owner| owner.0 == pubkey) {
            let reason = format!("{pubkey} is no owner (ORLY_LAUNCHER_OWNERS)");
            return Err((StatusCode::FORBIDDEN, reason));
        }
        if !self.spent.spend(token, now) {
            return Err(denied("the signature was used already: sign anew".into()));
        }
        Ok(Visitor::Owner)
    }

    /// The address under which a request for `host` came here, if it is this launcher's. Another name may
    /// belong to someone who passes on what was signed for them.
    fn own_name(&self, host: &str) -> Option<String> {
        if let Some(url) = &self.settings.variables.admin_url {
            let authority = url.0.split_once("://").map_or("", |(_, rest)| rest);
            if authority.split('/').next().is_some_and(|own| own.eq_ignore_ascii_case(host)) {
                return Some(url.0.clone());
            }
        }
        let bare = match host.rsplit_once(':') {
            Some((bare, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => bare,
            _ => host,
        };
        let is_local = matches!(bare, "localhost" | "127.0.0.1" | "[::1]");
        let own = self.address.ip();
        let is_own = !own.is_unspecified() && bare.trim_matches(['[', ']']) == own.to_string();
        (is_local || is_own).then(|| format!("http://{host}"))
    }
}
