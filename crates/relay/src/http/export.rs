//! `/api/export`: JSONL, for owners and admins who prove it by NIP-98.

use std::sync::Arc;

use bytes::Bytes;
use event::{Filter, Pubkey};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use store::{Query, Rows};

use super::authorize::{Scope, authorize};
use super::{Body, body, text};
use crate::relay::Relay;

/// Streams all events, or those of the pubkeys in a body `{"pubkeys":["<hex>",…]}`, one a line.
pub(super) async fn export(relay: &Arc<Relay>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = match body::read(body).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    if let Err(refusal) = authorize(relay, &head, &Scope::Body(&body)) {
        return refusal;
    }
    let filter = match export_filter(&body) {
        Ok(filter) => filter,
        Err(reason) => return text(StatusCode::BAD_REQUEST, reason),
    };
    let rows = relay.store.query(Query::by_operator(filter));
    let lines = stream::unfold(rows, |mut rows| async {
        let frame = next_lines(rows.as_mut()).await.transpose()?;
        Some((frame, rows))
    });
    let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(lines)));
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"events.jsonl\"");
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    response
}

async fn next_lines(rows: &mut dyn Rows) -> Result<Option<Frame<Bytes>>, std::io::Error> {
    let batch = rows.next().await.map_err(std::io::Error::other)?;
    Ok(batch.map(|batch| {
        let mut lines = Vec::new();
        for (_, event) in batch.iter() {
            event.push_json(&mut lines);
            lines.push(b'\n');
        }
        Frame::data(Bytes::from(lines))
    }))
}

fn export_filter(body: &[u8]) -> Result<Filter, String> {
    if body.is_empty() {
        return Ok(Filter::default());
    }
    let value: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("body: {error}"))?;
    let pubkeys =
        value.get("pubkeys").and_then(|list| list.as_array()).ok_or("body: pubkeys is missing")?;
    let mut authors = Vec::new();
    for pubkey in pubkeys {
        let pubkey = pubkey.as_str().and_then(|text| Pubkey::from_hex_or_npub(text).ok());
        authors.push(pubkey.ok_or("body: pubkeys: expected hex or npub")?);
    }
    authors.sort_unstable();
    Ok(Filter { authors: (!authors.is_empty()).then_some(authors), ..Filter::default() })
}
