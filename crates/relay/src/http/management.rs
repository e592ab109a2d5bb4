//! Management by JSON-RPC (NIP-86): on the relay's own URL, and on `/api/nip86`.

mod methods;
mod params;

use acl::ManagementError;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use store::StoreError;

use self::params::{InvalidParam, Params};
use super::authorize::{Scope, authorize};
use super::{Body, body, text};
use crate::relay::Relay;

/// What such requests and answers are.
const CONTENT_TYPE: &str = "application/nostr+json+rpc";

/// Why a call failed; the text is for the operator who called.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("method {0:?} is not supported, see supportedmethods")]
    UnknownMethod(String),
    #[error(transparent)]
    Param(#[from] InvalidParam),
    #[error(transparent)]
    Management(#[from] ManagementError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a request is a call.
pub(super) fn is_call(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(CONTENT_TYPE)
}

/// Answers a call of an owner or admin.
pub(super) async fn call(relay: &Relay, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let pubkey = match authorize(relay, &head, &Scope::Management(&body)) {
        Ok(token) => token.as_ref().pubkey(),
        Err(refusal) => return refusal,
    };
    let Some((method, params)) = parse(&body) else {
        let reason = "expected {\"method\":\"…\",\"params\":[…]}";
        return text(StatusCode::BAD_REQUEST, reason);
    };
    let result = methods::call(relay, &method, &Params::new(params)).await;
    let answer = match result {
        Ok(result) => {
            tracing::info!(by = %pubkey, method, "management");
            json!({ "result": result })
        }
        Err(error) => {
            tracing::info!(by = %pubkey, method, %error, "management refused");
            json!({ "error": error.to_string() })
        }
    };
    let mut response = text(StatusCode::OK, answer.to_string());
    let kind = HeaderValue::from_static(CONTENT_TYPE);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn parse(body: &[u8]) -> Option<(String, Vec<Value>)> {
    let mut call: Value = serde_json::from_slice(body).ok()?;
    let method = call.get("method")?.as_str()?.to_owned();
    let params = match call.get_mut("params").map(Value::take) {
        Some(Value::Array(params)) => params,
        None | Some(Value::Null) => Vec::new(),
        Some(_) => return None,
    };
    Some((method, params))
}
