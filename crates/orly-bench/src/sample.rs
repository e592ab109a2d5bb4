//! The generated file: its lines one after another, or some events out of it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, ensure};
use event::EventId;
use serde::Deserialize;

use crate::client::event_id;
use crate::generate::random::Random;

/// The lines of a file from `skip` on, at most `count`.
pub(crate) struct Lines {
    reader: BufReader<File>,
    left: usize,
    wanted: Option<HashSet<EventId>>,
}

impl Lines {
    /// Opens the file and skips its first lines.
    pub(crate) fn open(path: &Path, skip: usize, count: Option<usize>) -> anyhow::Result<Self> {
        let mut reader = open(path)?;
        for _ in 0..skip {
            reader.skip_until(b'\n').with_context(|| format!("read {}", path.display()))?;
        }
        Ok(Self { reader, left: count.unwrap_or(usize::MAX), wanted: None })
    }

    /// Opens the file for the lines of some events only.
    pub(crate) fn of_events(path: &Path, wanted: HashSet<EventId>) -> anyhow::Result<Self> {
        Ok(Self { reader: open(path)?, left: wanted.len(), wanted: Some(wanted) })
    }

    /// Reads the next line that is not empty into `line`, without its end; false at the end.
    pub(crate) fn next_into(&mut self, line: &mut Vec<u8>) -> anyhow::Result<bool> {
        while self.left > 0 {
            line.clear();
            if self.reader.read_until(b'\n', line).context("read the file of events")? == 0 {
                return Ok(false);
            }
            line.truncate(line.trim_ascii_end().len());
            if !line.is_empty() && self.wants(line) {
                self.left -= 1;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn wants(&self, line: &[u8]) -> bool {
        let Some(wanted) = &self.wanted else { return true };
        event_id(line)
            .and_then(|id| EventId::from_hex(id).ok())
            .is_some_and(|id| wanted.contains(&id))
    }
}

/// The parts of an event that filters look at.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SampledEvent {
    pub(crate) id: String,
    pub(crate) pubkey: String,
    pub(crate) created_at: u64,
    pub(crate) kind: u16,
    pub(crate) tags: Vec<Vec<String>>,
}

impl SampledEvent {
    /// Parses one line.
    pub(crate) fn parse(line: &[u8]) -> anyhow::Result<Self> {
        serde_json::from_slice(line)
            .with_context(|| format!("line {:.120}", String::from_utf8_lossy(line)))
    }

    /// The values of all tags of one letter.
    pub(crate) fn tag_values(&self, letter: &str) -> impl Iterator<Item = &str> {
        let tags =
            self.tags.iter().filter(move |tag| tag.first().is_some_and(|name| name == letter));
        tags.filter_map(|tag| tag.get(1).map(String::as_str))
    }
}

/// Draws `count` events from all over the file, the same ones each time.
pub(crate) fn draw(path: &Path, count: usize, seed: u64) -> anyhow::Result<Vec<SampledEvent>> {
    let mut reader = open(path)?;
    let size = usize::try_from(reader.get_ref().metadata()?.len())?;
    ensure!(size > 0, "{} is empty", path.display());
    let mut random = Random::for_item(seed, 0);
    let mut line = Vec::new();
    let mut events = Vec::with_capacity(count);
    while events.len() < count {
        reader.seek(SeekFrom::Start(random.below(size) as u64))?;
        reader.skip_until(b'\n')?;
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            reader.rewind()?;
            reader.read_until(b'\n', &mut line)?;
        }
        events.push(
            SampledEvent::parse(line.trim_ascii_end())
                .with_context(|| format!("read {}", path.display()))?,
        );
    }
    Ok(events)
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    Ok(BufReader::with_capacity(64 << 10, file))
}
