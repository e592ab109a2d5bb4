//! `/api/import` and `/api/export`: JSONL, for owners and admins who prove it by NIP-98.

use std::sync::Arc;

use bytes::Bytes;
use event::{Event, Filter, Pubkey, Verifier};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::json;
use store::{Query, Rows, SaveOutcome};

use super::authorize::{Scope, authorize};
use super::{Body, text};
use crate::relay::Relay;

/// How many events are verified and saved at once.
const BATCH: usize = 500;
/// How many bad lines are spelled out in the answer.
const SHOWN: usize = 20;

/// Stores the events of the body, one a line; always checks signatures.
pub(super) async fn import(relay: &Arc<Relay>, request: Request<Incoming>) -> Response<Body> {
    let (head, mut body) = request.into_parts();
    if let Err(refusal) = authorize(relay, &head, &Scope::Request) {
        return refusal;
    }
    let mut report = Report::default();
    let mut rest = Vec::new();
    let mut lines = Vec::new();
    loop {
        let frame = match body.frame().await {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                return text(StatusCode::BAD_REQUEST, format!("read the body: {error}"));
            }
            None => break,
        };
        let Ok(data) = frame.into_data() else { continue };
        rest.extend_from_slice(&data);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            lines.push(line);
        }
        if rest.len() > relay.settings.limits.event_bytes * 2 {
            return text(StatusCode::PAYLOAD_TOO_LARGE, "a line is longer than an event may be");
        }
        if lines.len() >= BATCH
            && let Err(failure) = save(relay, std::mem::take(&mut lines), &mut report).await
        {
            return failure;
        }
    }
    lines.push(rest);
    if let Err(failure) = save(relay, lines, &mut report).await {
        return failure;
    }
    json_response(&json!({
        "stored": report.stored, "known": report.known, "refused": report.refused, "bad": report.bad,
        "errors": report.errors,
    }))
}

/// Streams all events, or those of the pubkeys in a body `{"pubkeys":["<hex>",…]}`, one a line.
pub(super) async fn export(relay: &Arc<Relay>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    if let Err(refusal) = authorize(relay, &head, &Scope::Request) {
        return refusal;
    }
    let filter = match body.collect().await.map(|body| export_filter(&body.to_bytes())) {
        Ok(Ok(filter)) => filter,
        Ok(Err(reason)) => return text(StatusCode::BAD_REQUEST, reason),
        Err(error) => return text(StatusCode::BAD_REQUEST, format!("read the body: {error}")),
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

#[derive(Default)]
struct Report {
    line: u64,
    stored: u64,
    known: u64,
    refused: u64,
    bad: u64,
    errors: Vec<String>,
}

async fn save(
    relay: &Relay,
    lines: Vec<Vec<u8>>,
    report: &mut Report,
) -> Result<(), Response<Body>> {
    let first = report.line + 1;
    report.line += lines.len() as u64;
    let checked = tokio::task::spawn_blocking(move || check(&lines, first)).await;
    let (events, errors) =
        checked.map_err(|_| text(StatusCode::INTERNAL_SERVER_ERROR, "internal"))?;
    report.bad += errors.len() as u64;
    let room = SHOWN.saturating_sub(report.errors.len());
    report.errors.extend(errors.into_iter().take(room));
    let outcomes = relay.store.save(events).await;
    let outcomes =
        outcomes.map_err(|error| text(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    for outcome in outcomes {
        match outcome {
            SaveOutcome::Stored(serial) => {
                relay.newest.raise(serial);
                report.stored += 1;
            }
            SaveOutcome::Duplicate | SaveOutcome::Superseded => report.known += 1,
            SaveOutcome::Deleted
            | SaveOutcome::Vanished
            | SaveOutcome::Expired
            | SaveOutcome::Ephemeral
            | SaveOutcome::Refused(_) => {
                report.refused += 1;
            }
        }
    }
    Ok(())
}

/// Reads and verifies lines; says what is wrong with those that are none.
fn check(lines: &[Vec<u8>], first: u64) -> (Vec<Event>, Vec<String>) {
    let mut verifier = Verifier::default();
    let (mut events, mut errors) = (Vec::new(), Vec::new());
    for (number, line) in (first..).zip(lines) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let event =
            std::str::from_utf8(line).map_err(|_| "not UTF-8".to_owned()).and_then(|line| {
                let event = Event::from_json(line.trim()).map_err(|error| error.to_string())?;
                verifier.verify(event.as_ref()).map_err(|error| error.to_string())?;
                Ok(event)
            });
        match event {
            Ok(event) => events.push(event),
            Err(reason) => errors.push(format!("line {number}: {reason}")),
        }
    }
    (events, errors)
}

fn json_response(value: &serde_json::Value) -> Response<Body> {
    let mut response = text(StatusCode::OK, value.to_string());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
