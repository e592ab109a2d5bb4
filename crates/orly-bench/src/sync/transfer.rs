//! Moves what differs: REQ by ids for what we need, EVENT for what we have.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, bail};
use event::EventId;

use crate::client::{Address, Client, Message, event_id, string_after};
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

/// The events so far, each kept once.
struct Inbox {
    seen: HashSet<EventId>,
    file: Option<BufWriter<File>>,
}

/// Asks for events by id.
pub(super) async fn download(
    address: &Address,
    ids: &[EventId],
    to: Option<&Path>,
) -> anyhow::Result<Downloaded> {
    let mut inbox = Inbox::create(to)?;
    let mut client = Client::connect(address).await?;
    let mut batches = ids.chunks(BATCH).enumerate();
    let mut in_flight = 0;
    loop {
        while in_flight < IN_FLIGHT
            && let Some((number, batch)) = batches.next()
        {
            let list: Vec<_> = batch.iter().map(|id| format!("\"{id}\"")).collect();
            client.queue(&[
                format!(r#"["REQ","d{number}",{{"ids":[{}]}}]"#, list.join(",")).as_bytes()
            ]);
            in_flight += 1;
        }
        if in_flight == 0 {
            break;
        }
        match client.receive().await? {
            Message::Event(message) => inbox.take(message).context("write downloaded events")?,
            Message::Eose(message) => {
                let id = string_after(message, 1).context("EOSE without a subscription")?;
                let close = [b"[\"CLOSE\",\"", id, b"\"]"].concat();
                client.queue(&[&close]);
                in_flight -= 1;
            }
            Message::Closed(message) | Message::Notice(message) => {
                bail!("download: {}", String::from_utf8_lossy(message))
            }
            _ => {}
        }
    }
    if let Some(file) = &mut inbox.file {
        file.flush().context("write downloaded events")?;
    }
    Ok(Downloaded { events: inbox.seen.len(), bytes: client.bytes_in })
}

impl Inbox {
    fn create(path: Option<&Path>) -> anyhow::Result<Self> {
        let create =
            |path: &Path| File::create(path).with_context(|| format!("create {}", path.display()));
        Ok(Self { seen: HashSet::new(), file: path.map(create).transpose()?.map(BufWriter::new) })
    }

    fn take(&mut self, message: &[u8]) -> io::Result<()> {
        let id = event_id(message).and_then(|id| EventId::from_hex(id).ok());
        let is_new = id.is_some_and(|id| self.seen.insert(id));
        if is_new && let Some(file) = &mut self.file {
            file.write_all(event_json(message))?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }
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
