//! The relay's document about itself (NIP-11), as far as it tells whether NIP-77 is spoken.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::PeerUrl;
use crate::dial::{Reach, dial};

const TIMEOUT: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 256 << 10;

/// Whether a relay says that it reconciles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    Supported,
    NotSupported,
    /// It does not say.
    Unknown,
}

/// Asks the relay over HTTP whether it speaks NIP-77.
pub(crate) async fn claim(url: &PeerUrl, reach: Reach) -> Claim {
    let document = tokio::time::timeout(TIMEOUT, read(url, reach)).await.ok().flatten();
    document.map_or(Claim::Unknown, |document| claim_of(&document))
}

async fn read(url: &PeerUrl, reach: Reach) -> Option<Value> {
    let stream = TokioIo::new(dial(url, reach).await.ok()?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.ok()?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let request = Request::get(url.path())
        .header(HOST, url.authority())
        .header(ACCEPT, "application/nostr+json")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let body = Limited::new(response.into_body(), MAX_BYTES).collect().await.ok()?;
    serde_json::from_slice(&body.to_bytes()).ok()
}

fn claim_of(document: &Value) -> Claim {
    let Some(nips) = document.get("supported_nips").and_then(Value::as_array) else {
        return Claim::Unknown;
    };
    let is_77 = |nip: &Value| nip.as_u64() == Some(77) || nip.as_str() == Some("77");
    // strfry tells its protocol version, and listed no 77 for a long time.
    let has_version =
        document.get("negentropy").and_then(Value::as_u64).is_some_and(|version| version > 0);
    if nips.iter().any(is_77) || has_version { Claim::Supported } else { Claim::NotSupported }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_a_number_a_string_or_a_version() {
        let cases = [
            (r#"{"supported_nips":[1,77]}"#, Claim::Supported),
            (r#"{"supported_nips":[1,"77"]}"#, Claim::Supported),
            (r#"{"supported_nips":[1],"negentropy":1}"#, Claim::Supported),
            (r#"{"supported_nips":[1,42]}"#, Claim::NotSupported),
            (r#"{"name":"x"}"#, Claim::Unknown),
        ];
        for (document, expected) in cases {
            assert_eq!(claim_of(&serde_json::from_str(document).unwrap()), expected, "{document}");
        }
    }
}
