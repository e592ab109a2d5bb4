//! Lines to events: reading and verifying those of a chunk.

use std::sync::Arc;

use event::{Event, EventId, Forged, InvalidEvent, Verifier};
use service_store::Store;
use store::StoreError;
use tokio::runtime::Handle;

use super::chunks::{Chunk, Content, Position};

/// Whose ids and signatures are not checked.
#[derive(Clone)]
pub(crate) enum Trust {
    /// Those of events that are stored: what is imported under their ids is not stored anyway.
    Stored(Arc<dyn Store>),
    /// Everybody's.
    All,
}

/// What a chunk came to.
pub(crate) struct Checked {
    /// The events to save, in order.
    pub(crate) events: Vec<Event>,
    /// How many bytes they have.
    pub(crate) bytes: u64,
    /// How many lines it had.
    pub(crate) lines: u64,
    /// How many events are stored already.
    pub(crate) known: u64,
    /// Lines that are no valid events.
    pub(crate) bad: Vec<BadLine>,
    /// Where it ended.
    pub(crate) end: Position,
}

/// A line that is no valid event.
pub(crate) struct BadLine {
    /// Its number, from 1.
    pub(crate) line: u64,
    /// Why.
    pub(crate) reason: Reason,
}

/// Why a line is no valid event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    /// It has too many bytes.
    #[error("longer than 16 MiB")]
    TooLong,
    /// It is not text.
    #[error("not UTF-8")]
    NotUtf8,
    /// It is no event.
    #[error(transparent)]
    Invalid(#[from] InvalidEvent),
    /// It is not what its id or signature says.
    #[error(transparent)]
    Forged(#[from] Forged),
}

/// Reads and verifies chunks, on one thread.
pub(crate) struct Checker {
    trust: Trust,
    verifier: Verifier,
    runtime: Handle,
}

impl Checker {
    pub(crate) fn new(trust: Trust, runtime: Handle) -> Self {
        Self { trust, verifier: Verifier::default(), runtime }
    }

    /// Reads and verifies a chunk.
    pub(crate) fn check(&mut self, chunk: &Chunk) -> Result<Checked, StoreError> {
        let mut checked = Checked {
            events: Vec::new(),
            bytes: 0,
            lines: chunk.end.lines - chunk.start.lines,
            known: 0,
            bad: Vec::new(),
            end: chunk.end,
        };
        let mut found = match &chunk.content {
            Content::Lines(bytes) => events(bytes, chunk.start.lines + 1, &mut checked.bad),
            Content::TooLong => {
                let line = chunk.start.lines + 1;
                checked.bad.push(BadLine { line, reason: Reason::TooLong });
                Vec::new()
            }
        };
        if let Trust::Stored(store) = &self.trust {
            let ids: Vec<EventId> = found.iter().map(|(_, event)| event.as_ref().id()).collect();
            let mut stored = self.runtime.block_on(store.contains(&ids))?.into_iter();
            let before = found.len();
            found.retain(|_| stored.next() != Some(true));
            checked.known = (before - found.len()) as u64;
            for (line, event) in found {
                match self.verifier.verify(event.as_ref()) {
                    Ok(()) => checked.events.push(event),
                    Err(forged) => checked.bad.push(BadLine { line, reason: forged.into() }),
                }
            }
            checked.bad.sort_unstable_by_key(|bad| bad.line);
        } else {
            checked.events.extend(found.into_iter().map(|(_, event)| event));
        }
        let bytes = |event: &Event| event.as_ref().as_bytes().len() as u64;
        checked.bytes = checked.events.iter().map(bytes).sum();
        Ok(checked)
    }
}

/// Reads the events of lines, numbered from `first`.
fn events(bytes: &[u8], first: u64, bad: &mut Vec<BadLine>) -> Vec<(u64, Event)> {
    let mut found = Vec::with_capacity(bytes.len() / 512);
    for (line, text) in (first..).zip(bytes.split(|&byte| byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let event = std::str::from_utf8(text).map_err(|_| Reason::NotUtf8);
        match event.and_then(|text| Ok(Event::from_json(text)?)) {
            Ok(event) => found.push((line, event)),
            Err(reason) => bad.push(BadLine { line, reason }),
        }
    }
    found
}
