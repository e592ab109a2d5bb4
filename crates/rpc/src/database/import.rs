//! Taking in events as JSON lines; each is checked before it is saved.

use std::sync::Arc;

use event::{Event, Verifier};
use futures_util::{Stream, StreamExt};
use memchr::memchr;
use store::{SaveOutcome, StoreError};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use crate::proto::orlydb::v1 as proto;

const IMPORT: &str = "import";
const STRINGS: &str = "import events from strings";
/// How many bytes of lines are checked and saved together.
const BATCH_BYTES: usize = 4 << 20;
/// How long a line may be; a longer one is passed over.
const LINE_BYTES: usize = 16 << 20;

/// Cuts chunks into lines.
#[derive(Default)]
struct Lines {
    /// The end of what came, where no line has ended yet.
    open: Vec<u8>,
    /// Whether that belongs to a line that is too long, and is thrown away.
    is_skipping: bool,
    whole: Vec<u8>,
    too_long: i64,
}

impl Database {
    pub(super) async fn import(
        &self,
        chunks: impl Stream<Item = Result<proto::ImportChunk, Status>> + Send,
    ) -> Result<proto::ImportResponse, Status> {
        let mut chunks = std::pin::pin!(chunks);
        let mut lines = Lines::default();
        let mut tally = proto::ImportResponse::default();
        while let Some(chunk) = chunks.next().await {
            lines.push(&chunk?.data);
            if lines.whole.len() >= BATCH_BYTES {
                self.save_lines(&mut tally, std::mem::take(&mut lines.whole))
                    .await
                    .or_fail(IMPORT)?;
            }
        }
        tally.events_skipped += lines.end();
        self.save_lines(&mut tally, lines.whole).await.or_fail(IMPORT)?;
        tracing::info!(imported = tally.events_imported, skipped = tally.events_skipped, "import");
        Ok(tally)
    }

    pub(super) async fn import_events_from_strings(
        &self,
        request: proto::ImportEventsFromStringsRequest,
    ) -> Result<proto::ImportResponse, Status> {
        if request.check_policy {
            let text =
                "check_policy: no policy is known here; check the events, then import without it";
            return Err(failed(STRINGS, Code::FailedPrecondition, text));
        }
        let mut tally = proto::ImportResponse::default();
        let mut lines = Vec::new();
        for json in request.event_jsons {
            // An event may be written over several lines; JSON has no line ends inside strings.
            lines.extend(json.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
            lines.push(b'\n');
            if lines.len() >= BATCH_BYTES {
                self.save_lines(&mut tally, std::mem::take(&mut lines)).await.or_fail(STRINGS)?;
            }
        }
        self.save_lines(&mut tally, lines).await.or_fail(STRINGS)?;
        Ok(tally)
    }

    async fn save_lines(
        &self,
        tally: &mut proto::ImportResponse,
        lines: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (events, refused) = check(lines).await?;
        let outcomes = self.store.save(events).await?;
        let is_stored = |outcome: &&SaveOutcome| matches!(outcome, SaveOutcome::Stored(_));
        let stored = outcomes.iter().filter(is_stored).count();
        tally.events_imported += count(stored);
        tally.events_skipped += count(refused + outcomes.len() - stored);
        Ok(())
    }
}

impl Lines {
    /// Takes a chunk; what lines it completes are in `whole` then.
    fn push(&mut self, mut chunk: &[u8]) {
        while let Some(at) = memchr(b'\n', chunk) {
            let (end, rest) = chunk.split_at(at + 1);
            self.grow(end);
            if !std::mem::take(&mut self.is_skipping) {
                self.whole.append(&mut self.open);
            }
            chunk = rest;
        }
        self.grow(chunk);
    }

    fn grow(&mut self, part: &[u8]) {
        if self.is_skipping {
            return;
        }
        if self.open.len() + part.len() > LINE_BYTES {
            self.is_skipping = true;
            self.too_long += 1;
            self.open = Vec::new();
        } else {
            self.open.extend_from_slice(part);
        }
    }

    /// Takes the last line, which need not end; says how many lines were too long.
    fn end(&mut self) -> i64 {
        self.whole.append(&mut self.open);
        self.too_long
    }
}

/// Reads and verifies lines on all cores; says how many are no events, or forged.
async fn check(lines: Vec<u8>) -> Result<(Vec<Event>, usize), StoreError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let lines = Arc::new(lines);
    let mut parts = Vec::new();
    let mut start = 0;
    while start < lines.len() {
        let least = (start + lines.len().div_ceil(cores)).min(lines.len());
        let end = memchr(b'\n', &lines[least..]).map_or(lines.len(), |at| least + at + 1);
        let (lines, range) = (Arc::clone(&lines), start..end);
        parts.push(tokio::task::spawn_blocking(move || check_part(&lines[range])));
        start = end;
    }
    let (mut events, mut refused) = (Vec::new(), 0);
    for part in parts {
        let (some, wrong) = part.await.map_err(StoreError::internal)?;
        events.extend(some);
        refused += wrong;
    }
    Ok((events, refused))
}

fn check_part(lines: &[u8]) -> (Vec<Event>, usize) {
    let mut verifier = Verifier::default();
    let mut refused = 0;
    let mut read = |line: &[u8]| {
        let event = std::str::from_utf8(line).ok().and_then(|line| Event::from_json(line).ok());
        let event = event.filter(|event| verifier.verify(event.as_ref()).is_ok());
        refused += usize::from(event.is_none());
        event
    };
    let lines = lines.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let events = lines.filter_map(&mut read).collect();
    (events, refused)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_span_chunks() {
        let mut lines = Lines::default();
        for chunk in ["a", "b\nc\n", "", "\nd", "e"] {
            lines.push(chunk.as_bytes());
        }
        assert_eq!(lines.whole, b"ab\nc\n\n");
        assert_eq!(lines.end(), 0);
        assert_eq!(lines.whole, b"ab\nc\n\nde");
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut lines = Lines::default();
        let long = vec![b'x'; LINE_BYTES];
        for chunk in [&b"a\n"[..], &long, &long, b"x\nb\n", &long, b"x"] {
            lines.push(chunk);
        }
        assert_eq!(lines.end(), 2);
        assert_eq!(lines.whole, b"a\nb\n");
    }
}
