//! A relay that others wrote (`nostr-relay-builder`), for `tests/negentropy` where there is no strfry.
//!
//! `foreign-relay PORT CONTROL_PORT` serves WebSockets on the first port of this machine. On the second,
//! `GET /` answers with all it holds, one event a line, and `POST /` takes such lines.

#![expect(clippy::print_stderr, reason = "a program of its own")]

use std::sync::Arc;

use nostr_relay_builder::prelude::{
    Event, Filter, JsonUtil, MemoryDatabase, MemoryDatabaseOptions, NostrDatabase, RateLimit,
};
use nostr_relay_builder::{LocalRelay, RelayBuilder};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let ports: Vec<u16> = std::env::args().skip(1).flat_map(|port| port.parse()).collect();
    let [port, control] = ports[..] else {
        return Err("usage: foreign-relay PORT CONTROL_PORT".into());
    };
    let options = MemoryDatabaseOptions { events: true, max_events: None };
    let database = Arc::new(MemoryDatabase::with_opts(options));
    let limit = RateLimit { notes_per_minute: u32::MAX, ..RateLimit::default() };
    let relay = RelayBuilder::default().port(port).rate_limit(limit).max_filter_limit(1_000_000);
    let relay = LocalRelay::new(relay.database(Arc::clone(&database)));
    relay.run().await?;
    let listener = TcpListener::bind(("127.0.0.1", control)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        if let Err(error) = answer(stream, &*database).await {
            eprintln!("control: {error}");
        }
    }
}

async fn answer(stream: TcpStream, database: &dyn NostrDatabase) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        stream.read_line(&mut head).await?;
        let line = head[start..].trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
        if line.is_empty() {
            break;
        }
    }
    let body = if head.starts_with("POST ") {
        let mut lines = vec![0; length];
        stream.read_exact(&mut lines).await?;
        for line in String::from_utf8(lines)?.lines() {
            database.save_event(&Event::from_json(line)?).await?;
        }
        String::new()
    } else {
        let events = database.query(Filter::new()).await?;
        events.into_iter().map(|event| event.as_json() + "\n").collect()
    };
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    Ok(stream.shutdown().await?)
}
