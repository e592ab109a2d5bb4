//! `/api/import`: JSONL, as the body or as the field `file` of a form, for owners and admins who prove it by
//! NIP-98.

use std::sync::Arc;

use bytes::Bytes;
use event::{Event, Verifier, hex};
use futures_util::stream::{self, BoxStream, StreamExt};
use http_body_util::BodyStream;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};
use multer::Multipart;
use serde_json::json;
use sha2::{Digest, Sha256};
use store::SaveOutcome;

use super::authorize::{Scope, authorize};
use super::{Body, text};
use crate::relay::Relay;

/// How many events are verified and saved at once.
const BATCH: usize = 500;
/// How many bad lines are spelled out in the answer.
const SHOWN: usize = 20;
/// The field of a form that has the events.
const FIELD: &str = "file";

/// Pieces of what is imported.
type Pieces = BoxStream<'static, Result<Bytes, String>>;

/// Stores the events of the body, one a line; always checks signatures.
pub(super) async fn import(relay: &Arc<Relay>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let token = match authorize(relay, &head, &Scope::Request) {
        Ok(token) => token,
        Err(refusal) => return refusal,
    };
    let payload = token.as_ref().tags().value_of("payload").map(str::to_owned);
    let mut pieces = match pieces(&head.headers, body, payload).await {
        Ok(pieces) => pieces,
        Err(reason) => return text(StatusCode::BAD_REQUEST, reason),
    };
    let mut report = Report::default();
    let mut rest = Vec::new();
    let mut lines = Vec::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => rest.extend_from_slice(&piece),
            Err(reason) => return text(StatusCode::BAD_REQUEST, reason),
        }
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

/// The body, which ends in a fault if it is not the one of this hash; or what the form in it has as its file.
async fn pieces(
    headers: &HeaderMap,
    body: Incoming,
    payload: Option<String>,
) -> Result<Pieces, String> {
    let said = |error: &dyn std::fmt::Display| format!("read the body: {error}");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let data = BodyStream::new(body)
        .filter_map(|frame| async { frame.map(|frame| frame.into_data().ok()).transpose() });
    let Some(kind) = kind.filter(|kind| kind.starts_with("multipart/")) else {
        let pieces = data.map(move |data| data.map_err(|error| said(&error))).boxed();
        return Ok(match payload {
            Some(hash) => checked(pieces, hash),
            None => pieces,
        });
    };
    let boundary = multer::parse_boundary(kind).map_err(|error| said(&error))?;
    let mut form = Multipart::new(data, boundary);
    loop {
        match form.next_field().await.map_err(|error| said(&error))? {
            Some(field) if field.name() == Some(FIELD) => {
                // The form goes along: the field is read from it.
                let pieces = stream::unfold((form, field), |(form, mut field)| async {
                    Some((field.chunk().await.transpose()?, (form, field)))
                });
                return Ok(pieces.map(move |piece| piece.map_err(|error| said(&error))).boxed());
            }
            Some(_) => {}
            None => return Err(format!("the form has no field named {FIELD}")),
        }
    }
}

/// The same pieces, and behind them a fault if they are not what has this hash.
fn checked(pieces: Pieces, hash: String) -> Pieces {
    let state = Some((pieces, Sha256::new()));
    stream::unfold(state, move |state| {
        let hash = hash.clone();
        async move {
            let (mut pieces, mut hasher) = state?;
            match pieces.next().await {
                Some(piece) => {
                    hasher.update(piece.as_deref().unwrap_or_default());
                    Some((piece, Some((pieces, hasher))))
                }
                None if hex::encode(&hasher.finalize()) == hash => None,
                None => Some((Err("payload is not the hash of the body".into()), None)),
            }
        }
    })
    .boxed()
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
