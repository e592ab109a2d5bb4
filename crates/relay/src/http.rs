//! HTTP on the relay's port: the WebSocket handshake, NIP-11, a landing page, health, metrics, admin API.

mod authorize;
mod body;
mod document;
mod export;
mod handshake;
mod import;
mod landing;
mod management;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio_util::task::TaskTracker;

use crate::guard::Asked;
use crate::metrics;
use crate::relay::Relay;
use crate::server::{Guest, Guests};

pub(crate) use document::document;

/// The body of a response.
pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// What a connection needs to answer requests.
pub(crate) struct Front {
    pub(crate) relay: Arc<Relay>,
    pub(crate) address: SocketAddr,
    pub(crate) guest: Guest,
    /// Those whom proxies brought.
    pub(crate) forwarded: Arc<Guests>,
    pub(crate) tasks: TaskTracker,
}

/// Answers a request on the relay's port.
pub(crate) async fn respond(
    front: Arc<Front>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let relay = Arc::clone(&front.relay);
    let ip = client_ip(&relay, front.address.ip(), request.headers());
    if !relay.settings.access.may_connect(ip) {
        relay.metrics.connections_refused.inc();
        return Ok(text(StatusCode::FORBIDDEN, "this address may not connect"));
    }
    let asks_for_socket = handshake::is_upgrade(request.headers());
    let asked = if asks_for_socket { Asked::Socket } else { Asked::Page };
    let is_proxy = relay.settings.is_trusted_proxy(ip);
    if !is_proxy
        && !is_health(request.uri().path())
        && let Err(refusal) = relay.guard.admit(ip, asked, request.headers(), Instant::now())
    {
        relay.metrics.requests_refused.inc();
        return Ok(refusal.response());
    }
    if asks_for_socket {
        return Ok(handshake::upgrade(front, request, ip));
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = match (request.method(), request.uri().path()) {
        (&Method::OPTIONS, _) => text(StatusCode::NO_CONTENT, ""),
        // A relay may be known under any path: a proxy in front of it decides.
        (&Method::GET | &Method::HEAD, _) if !is_api && wants_document(request.headers()) => {
            document_response(&relay)
        }
        (&Method::GET | &Method::HEAD, "/") => html(landing::page(&relay)),
        (&Method::POST, "/" | "/api/nip86") if management::is_call(request.headers()) => {
            management::call(&relay, request).await
        }
        (&Method::GET | &Method::HEAD, "/api/acl-mode") => acl_mode(&relay),
        (&Method::GET | &Method::HEAD, path) if is_health(path) => health(&relay).await,
        (&Method::GET | &Method::HEAD, "/metrics") => figures(&relay, request.headers()).await,
        (&Method::POST, "/api/import") => import::import(&relay, request).await,
        (&Method::GET | &Method::POST, "/api/export") => export::export(&relay, request).await,
        (_, "/" | "/healthz" | "/health" | "/metrics" | "/api/acl-mode") => {
            not_allowed("GET, HEAD, OPTIONS")
        }
        (&Method::POST, "/api/nip86") => text(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "expected Content-Type: application/nostr+json+rpc",
        ),
        (_, "/api/nip86") => not_allowed("POST, OPTIONS"),
        (_, "/api/import") => not_allowed("POST, OPTIONS"),
        (_, "/api/export") => not_allowed("GET, POST, OPTIONS"),
        _ => text(StatusCode::NOT_FOUND, "not found"),
    };
    allow_origin(&relay, is_api, origin.as_ref(), response.headers_mut());
    Ok(response)
}

/// Answers a request on the health port.
pub(crate) async fn respond_health(
    relay: Arc<Relay>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, path) if is_health(path) => health(&relay).await,
        (&Method::GET | &Method::HEAD, "/metrics") => figures(&relay, request.headers()).await,
        (&Method::GET | &Method::POST, "/shutdown") if relay.settings.ends_by_http => {
            tracing::info!("shut down, as asked on the health port");
            relay.shutdown.cancel();
            text(StatusCode::OK, "shutting down")
        }
        _ => text(StatusCode::NOT_FOUND, "not found"),
    })
}

/// NIP-11 is for every origin; the API for those that are configured.
fn allow_origin(
    relay: &Relay,
    is_api: bool,
    origin: Option<&HeaderValue>,
    headers: &mut HeaderMap,
) {
    let origins = relay.settings.cors_origins.as_deref();
    let allowed = match (is_api, origins, origin) {
        (false, ..) => HeaderValue::from_static("*"),
        (true, Some([]), _) => HeaderValue::from_static("*"),
        (true, Some(origins), Some(origin))
            if origins.iter().any(|own| own.as_bytes() == origin.as_bytes()) =>
        {
            origin.clone()
        }
        (true, ..) => return,
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*, Authorization"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, OPTIONS"),
    );
}

fn is_health(path: &str) -> bool {
    matches!(path, "/healthz" | "/health")
}

fn wants_document(headers: &HeaderMap) -> bool {
    accepts(headers, "application/nostr+json")
}

/// Whether a type stands among those that are accepted by name.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.to_ascii_lowercase().contains(kind))
}

fn document_response(relay: &Relay) -> Response<Body> {
    let mut response = text(StatusCode::OK, document(relay).to_string());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/nostr+json"));
    response
}

/// How access is decided, for pages that adapt to it.
fn acl_mode(relay: &Relay) -> Response<Body> {
    let mode = relay.access.mode().as_str();
    let mut response = text(StatusCode::OK, format!("{{\"acl_mode\":\"{mode}\"}}"));
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

async fn health(relay: &Relay) -> Response<Body> {
    match relay.store.status().await {
        Ok(_) => text(StatusCode::OK, "ok"),
        Err(error) => text(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// What Prometheus reads, in the one of its two formats that is asked for.
async fn figures(relay: &Relay, headers: &HeaderMap) -> Response<Body> {
    let status = relay.store.status().await.ok();
    let page = relay.metrics.render(status.as_ref());
    let (page, kind) = match accepts(headers, metrics::OPENMETRICS) {
        true => (page, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        false => (metrics::classic(&page), "text/plain; version=0.0.4; charset=utf-8"),
    };
    let mut response = text(StatusCode::OK, page);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The address of the client; what a proxy says counts only if the proxy is trusted.
fn client_ip(relay: &Relay, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let mut ip = peer;
    let lists = headers.get_all(HeaderName::from_static("x-forwarded-for")).iter().rev();
    let lists = lists.filter_map(|list| list.to_str().ok());
    // Each proxy adds, at the end, whom it was asked by: what stands before the first that is not
    // trusted, anybody may have sent.
    for before in lists.flat_map(|list| list.rsplit(',')) {
        if !relay.settings.is_trusted_proxy(ip) {
            break;
        }
        let Ok(before) = before.trim().parse() else { break };
        ip = before;
    }
    ip
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(full(text.into()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn html(page: String) -> Response<Body> {
    let mut response = text(StatusCode::OK, page);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync()
}
