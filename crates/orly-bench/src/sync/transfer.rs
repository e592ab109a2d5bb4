//! Moves what differs: REQ by ids for what we need, EVENT for what we have.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use event::EventId;

use crate::client::{Address, Client, Message, event_id};
use crate::ingest::{self, Tally};
use crate::sample::Lines;

/// Ids in one REQ; no relay refuses so few.
const BATCH: usize = 100;
/// REQs that wait for their EOSE at the same time.
const IN_FLIGHT: usize = 8;
/// Events that wait for their OK at the same time.
const WINDOW: usize = 500;

/// What was downloaded.
pub(super) struct Downloaded {
    pub(super) events: usize,
    pub(super) bytes: u64,
}

/// Asks for events by id.
pub(super) async fn download(
    address: &Address,
    ids: &[EventId],
    to: Option<&Path>,
) -> anyhow::Result<Downloaded> {
    let mut file = match to {
        Some(path) => Some(BufWriter::new(
            File::create(path).with_context(|| format!("create {}", path.display()))?,
        )),
        None => None,
    };
    let mut client = Client::connect(address).await?;
    let mut received = HashSet::with_capacity(ids.len());
    let mut batches = ids.chunks(BATCH).enumerate();
    let mut in_flight = 0;
    loop {
        while in_flight < IN_FLIGHT
            && let Some((number, batch)) = batches.next()
        {
            let list: Vec<_> = batch.iter().map(|id| format!("\"{id}\"")).collect();
            client.queue(&[
                format!("[\"REQ\",\"d{number}\",{{\"ids\":[{}]}}]", list.join(",")).as_bytes()
            ]);
            in_flight += 1;
        }
        if in_flight == 0 {
            break;
        }
        let finished = match client.receive().await? {
            Message::Event(message) => {
                if let Some(id) = event_id(message).and_then(|id| EventId::from_hex(id).ok())
                    && received.insert(id)
                    && let Some(file) = &mut file
                {
                    file.write_all(event_json(message)).context("write downloaded events")?;
                    file.write_all(b"\n").context("write downloaded events")?;
                }
                None
            }
            Message::Eose(message) => {
                Some([&b"[\"CLOSE\""[..], message.strip_prefix(b"[\"EOSE\"").unwrap_or_default()])
            }
            Message::Closed(message) | Message::Notice(message) => {
                bail!("download: {}", String::from_utf8_lossy(message))
            }
            _ => None,
        };
        if let Some(close) = finished.map(|parts| parts.concat()) {
            in_flight -= 1;
            client.queue(&[&close]);
        }
    }
    if let Some(mut file) = file {
        file.flush().context("write downloaded events")?;
    }
    Ok(Downloaded { events: received.len(), bytes: client.bytes_in })
}

/// Publishes the file's events with these ids.
pub(super) async fn upload(
    address: &Address,
    file: &Path,
    ids: HashSet<EventId>,
) -> anyhow::Result<Tally> {
    let client = Client::connect(address).await?;
    let lines = RefCell::new(Lines::of_events(file, ids)?);
    ingest::publish(client, &lines, WINDOW).await
}

/// The event in an EVENT message.
fn event_json(message: &[u8]) -> &[u8] {
    let start = message.iter().position(|&byte| byte == b'{').unwrap_or(0);
    message[start..].trim_ascii_end().strip_suffix(b"]").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_is_cut_out_of_its_message() {
        assert_eq!(event_json(br#"["EVENT","d1",{"tags":[["a"]]}]"#), br#"{"tags":[["a"]]}"#);
    }
}
