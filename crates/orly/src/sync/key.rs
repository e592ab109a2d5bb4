//! The key to authenticate with.

use std::path::Path;

use anyhow::{Context, bail};
use event::Keys;
use store::{IDENTITY_MARKER, Markers};

/// What `--key` says for the relay's own key.
const OWN: &str = "relay";

/// Reads the relay's own key, a key, or a file with one.
pub(super) async fn read(text: &str, store: &dyn Markers) -> anyhow::Result<Keys> {
    if text == OWN {
        let secret = store.marker(IDENTITY_MARKER).await.context("read the relay's key")?;
        let secret = secret.and_then(|secret| <[u8; 32]>::try_from(secret).ok());
        let Some(secret) = secret else {
            bail!("--key relay: there is no key yet; the relay makes one when it starts")
        };
        return Keys::from_secret(secret).context("read the relay's key");
    }
    if let Ok(keys) = text.parse() {
        return Ok(keys);
    }
    // What is no key may still be one with a slip in it: it is not shown.
    if !Path::new(text).is_file() {
        bail!("--key: neither a secret key (nsec1… or 64 hex digits) nor a file");
    }
    let file = std::fs::read_to_string(text).with_context(|| format!("--key: read {text}"))?;
    file.parse().with_context(|| format!("--key: {text}"))
}
