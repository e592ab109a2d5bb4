//! The handshake of a WebSocket (RFC 6455, section 4.2), after which a session has the connection.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Body, Front, not_allowed, text};
use crate::server::{Guest, Guests};
use crate::session::Session;

/// Whether a request asks for a WebSocket.
pub(super) fn is_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
}

/// Accepts a WebSocket and starts its session.
pub(super) fn upgrade(
    front: Arc<Front>,
    mut request: Request<Incoming>,
    ip: IpAddr,
) -> Response<Body> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return not_allowed("GET");
    }
    if !has_upgrade_option(headers) {
        return text(StatusCode::BAD_REQUEST, "Connection: Upgrade is missing");
    }
    let version = headers.get(header::SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes) else {
        return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is missing");
    };
    if STANDARD.decode(key).map(|nonce| nonce.len()) != Ok(16) {
        return text(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64");
    }
    if version != Some(b"13") {
        let mut response = text(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 is needed");
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    }
    let place =
        (ip != front.address.ip()).then(|| Guests::admit(&front.forwarded, &front.relay, ip));
    if matches!(place, Some(None)) {
        front.relay.metrics.connections_refused.inc();
        return text(StatusCode::TOO_MANY_REQUESTS, "too many connections from this address");
    }
    let accept = derive_accept_key(key);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let upgraded = hyper::upgrade::on(&mut request);
    let tasks = front.tasks.clone();
    tasks.spawn(async move {
        let Ok(stream) = upgraded.await else { return };
        let metrics = Arc::clone(&front.relay.metrics);
        metrics.connections.inc();
        metrics.connections_opened.inc();
        tracing::debug!(%ip, "open session");
        Session::run(Arc::clone(&front.relay), TokioIo::new(stream), host, ip).await;
        tracing::debug!(%ip, "close session");
        metrics.connections.dec();
        let _: (&Guest, Option<Option<Guest>>) = (&front.guest, place);
    });
    let mut response = text(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// The `Connection` header is a list.
fn has_upgrade_option(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::CONNECTION).iter().filter_map(|list| list.to_str().ok());
    lists
        .flat_map(|list| list.split(','))
        .any(|option| option.trim().eq_ignore_ascii_case("upgrade"))
}
