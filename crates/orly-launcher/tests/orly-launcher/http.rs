//! Requests to the administration, signed or not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use event::{Draft, Keys, Kind, Timestamp, hex};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::house::{House, wait_for};

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// The administration of a launcher.
pub(crate) struct Admin {
    pub(crate) host: String,
}

impl Admin {
    pub(crate) fn of(house: &House) -> Self {
        let host = wait_for("the administration", || {
            let log = house.log();
            let (_, rest) = log.split_once("http://")?;
            Some(rest.split(['"', ' ', '\n', '\x1b']).next()?.to_owned())
        });
        Self { host }
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let host = if headers.contains("Host:") {
            String::new()
        } else {
            format!("Host: {}\r\n", self.host)
        };
        let len = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {len}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The same, signed by the key of this number.
    pub(crate) fn signed(&self, key: u8, method: &str, path: &str, body: &str) -> Answer {
        let token = self.token(key, method, path, body);
        self.request(method, path, &format!("Authorization: {token}\r\n"), body)
    }

    pub(crate) fn token(&self, key: u8, method: &str, path: &str, body: &str) -> String {
        token(key, method, &format!("http://{}{path}", self.host), body, Timestamp::now())
    }
}

static COUNT: AtomicU64 = AtomicU64::new(0);

/// NIP-98.
pub(crate) fn token(key: u8, method: &str, url: &str, body: &str, created_at: Timestamp) -> String {
    let tag = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
    // Two that are signed in one second are two all the same.
    let number = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let mut tags = vec![tag("u", url), tag("method", method), tag("n", &number)];
    if !body.is_empty() {
        tags.push(tag("payload", &hex::encode(&Sha256::digest(body))));
    }
    let draft = Draft { created_at, kind: Kind::HTTP_AUTH, tags, content: String::new() };
    let event = Keys::from_secret([key; 32]).unwrap().sign(&draft);
    format!("Nostr {}", STANDARD.encode(event.as_ref().to_json()))
}

/// The public key of this number.
pub(crate) fn pubkey(key: u8) -> String {
    Keys::from_secret([key; 32]).unwrap().pubkey().to_string()
}
