//! The relay's address and the HTTP upgrade (RFC 6455 §4).

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_RESPONSE_HEAD: usize = 16 << 10;

/// Where a relay listens, from its `ws://` URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) path: String,
}

impl FromStr for Address {
    type Err = anyhow::Error;

    fn from_str(url: &str) -> anyhow::Result<Self> {
        let Some(rest) = url.strip_prefix("ws://") else {
            bail!(
                "{url:?}: must start with ws:// (TLS is not measured; use the relay's plain port)"
            );
        };
        let (authority, path) = match rest.split_once('/') {
            Some((authority, path)) => (authority, format!("/{path}")),
            None => (rest, "/".to_owned()),
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => {
                (host, port.parse().with_context(|| format!("port {port:?} of {url:?}"))?)
            }
            None => (authority, 80),
        };
        ensure!(!host.is_empty(), "{url:?}: has no host");
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, path })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ws://{}:{}{}", self.host, self.port, self.path)
    }
}

/// Upgrades the connection and returns what the relay sent after its response.
///
/// `Sec-WebSocket-Accept` is not checked: it protects from caches, and there is none in a benchmark.
pub(super) async fn shake_hands(
    stream: &mut TcpStream,
    address: &Address,
) -> anyhow::Result<Vec<u8>> {
    let Address { host, port, path } = address;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: b3JseS1iZW5jaC1rZXktMQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::with_capacity(1024);
    let head_end = loop {
        if let Some(position) = memchr::memmem::find(&received, b"\r\n\r\n") {
            break position + 4;
        }
        ensure!(received.len() < MAX_RESPONSE_HEAD, "the answer is not an HTTP response");
        ensure!(
            stream.read_buf(&mut received).await? > 0,
            "the relay hung up during the handshake"
        );
    };
    let status = received.split(|&byte| byte == b'\r').next().unwrap_or_default();
    ensure!(
        status.starts_with(b"HTTP/1.1 101"),
        "the relay refuses the upgrade: {}",
        String::from_utf8_lossy(status)
    );
    Ok(received.split_off(head_end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_has_defaults_for_port_and_path() {
        let address: Address = "ws://relay.example".parse().unwrap();
        assert_eq!(address.to_string(), "ws://relay.example:80/");
        let address: Address = "ws://127.0.0.1:3334/a/b".parse().unwrap();
        assert_eq!(address.to_string(), "ws://127.0.0.1:3334/a/b");
    }

    #[test]
    fn other_schemes_are_refused_with_a_reason() {
        assert!("wss://relay.example".parse::<Address>().unwrap_err().to_string().contains("TLS"));
        assert!("ws://:1".parse::<Address>().is_err());
        assert!("ws://x:y".parse::<Address>().is_err());
    }
}
