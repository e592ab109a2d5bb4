//! The body of a request that is read as a whole.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Response, StatusCode};

use super::{Body, text};

/// Bytes of such a body at most.
const MAX_BYTES: usize = 64 << 10;
/// How long it may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a body; says what is wrong with one that is too large or too slow.
pub(super) async fn read(body: Incoming) -> Result<Bytes, Response<Body>> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BYTES).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) => {
            Err(text(StatusCode::PAYLOAD_TOO_LARGE, format!("read the body: {error}")))
        }
        Err(_) => Err(text(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body took longer than {} s", PATIENCE.as_secs()),
        )),
    }
}
