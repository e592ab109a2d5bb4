//! HTTP by hand: one request a connection.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{Event, Keys};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{PATIENCE, event, now};

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// The head, in lower case.
    head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// Asks for a page.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> Response {
    request(addr, "GET", path, "", b"").await
}

/// Sends a request; headers are each ended by CR LF.
pub(crate) async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Response {
    let len = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Length: {len}\r\n{headers}\r\n"
    );
    raw_request(addr, &[head.as_bytes(), body].concat()).await
}

/// Sends bytes, and reads until the relay ends the connection.
pub(crate) async fn raw_request(addr: SocketAddr, bytes: &[u8]) -> Response {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
    read.expect("the relay answers").unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head = head.to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = head.contains("transfer-encoding: chunked");
    let body = if is_chunked { joined(body) } else { body.to_owned() };
    Response { status, head, body }
}

/// The body out of its chunks.
fn joined(mut chunks: &str) -> String {
    let mut body = String::new();
    while let Some((len, rest)) = chunks.split_once("\r\n") {
        let len = usize::from_str_radix(len, 16).unwrap();
        body += &rest[..len];
        chunks = rest[len..].strip_prefix("\r\n").unwrap();
    }
    body
}

/// A NIP-98 event for a request.
pub(crate) fn token(keys: &Keys, method: &str, url: &str) -> Event {
    token_at(keys, method, url, now())
}

pub(crate) fn token_at(keys: &Keys, method: &str, url: &str, created_at: u64) -> Event {
    event(keys, 27235, created_at, &[&["u", url], &["method", method]], "")
}

/// The header that carries a token.
pub(crate) fn authorization(token: &Event) -> String {
    format!("Authorization: Nostr {}\r\n", STANDARD.encode(token.as_ref().to_json()))
}

/// A figure of `/metrics`.
pub(crate) async fn metric(addr: SocketAddr, name: &str) -> u64 {
    let page = get(addr, "/metrics").await.body;
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in {page}")).parse().unwrap()
}
