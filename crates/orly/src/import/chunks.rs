//! Cutting a stream into chunks of whole lines.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

/// About how many bytes a chunk has.
const CHUNK: usize = 1 << 20;
/// A line with more bytes than this is no event, and is not kept in memory.
const MAX_LINE: usize = 16 << 20;

/// A place between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// How many bytes are in front of it, unpacked.
    pub(crate) bytes: u64,
    /// How many lines are in front of it.
    pub(crate) lines: u64,
}

/// Lines that stand together.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Where it starts.
    pub(crate) start: Position,
    /// Where it ends.
    pub(crate) end: Position,
    /// What is in it.
    pub(crate) content: Content,
}

/// What is in a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Lines, each but perhaps the last with its line feed.
    Lines(Vec<u8>),
    /// One line that is too long.
    TooLong,
}

/// The chunks of a stream.
pub(crate) struct Chunks<R> {
    reader: R,
    at: Position,
    /// The start of a line whose end was not read yet.
    rest: Vec<u8>,
    /// Why no more can be read, once all before it is given.
    fault: Option<io::Error>,
    max_line: usize,
}

impl<R: Read> Chunks<R> {
    /// Cuts what `reader` has; it stands at `at` already.
    pub(crate) fn new(reader: R, at: Position) -> Self {
        Self { reader, at, rest: Vec::new(), fault: None, max_line: MAX_LINE }
    }

    /// The next chunk; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.reserve(CHUNK);
        loop {
            let start = bytes.len();
            let result = match self.fault.take() {
                Some(fault) => Err(fault),
                None => (&mut self.reader).take(CHUNK as u64).read_to_end(&mut bytes),
            };
            let read = match result {
                Ok(read) => read,
                // What was read before is good: a packed file that is cut short has most of its lines.
                Err(fault) => {
                    let Some(at) = memrchr(b'\n', &bytes) else { return Err(fault) };
                    self.fault = Some(fault);
                    return Ok(Some(self.lines(bytes, at + 1)));
                }
            };
            if read == 0 {
                let lines = bytes.len();
                return Ok((lines > 0).then(|| self.lines(bytes, lines)));
            }
            if let Some(at) = memrchr(b'\n', &bytes[start..]) {
                return Ok(Some(self.lines(bytes, start + at + 1)));
            }
            if bytes.len() > self.max_line {
                let begun = bytes.len() as u64;
                return self.pass_over(begun).map(Some);
            }
        }
    }

    /// Makes a chunk of the first `end` bytes and keeps the others.
    fn lines(&mut self, mut bytes: Vec<u8>, end: usize) -> Chunk {
        self.rest = bytes.split_off(end);
        let feeds = memchr_iter(b'\n', &bytes).count() as u64;
        let lines = feeds + u64::from(!bytes.ends_with(b"\n"));
        self.chunk(bytes.len() as u64, lines, Content::Lines(bytes))
    }

    /// Reads to the end of a line of which `begun` bytes were read.
    fn pass_over(&mut self, begun: u64) -> io::Result<Chunk> {
        let mut bytes = begun;
        let mut piece = Vec::with_capacity(CHUNK);
        loop {
            piece.clear();
            let read = (&mut self.reader).take(CHUNK as u64).read_to_end(&mut piece)?;
            if let Some(at) = memchr(b'\n', &piece) {
                self.rest = piece.split_off(at + 1);
                return Ok(self.chunk(bytes + at as u64 + 1, 1, Content::TooLong));
            }
            bytes += read as u64;
            if read == 0 {
                return Ok(self.chunk(bytes, 1, Content::TooLong));
            }
        }
    }

    fn chunk(&mut self, bytes: u64, lines: u64, content: Content) -> Chunk {
        let start = self.at;
        self.at = Position { bytes: start.bytes + bytes, lines: start.lines + lines };
        Chunk { start, end: self.at, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives few bytes at a time, as pipes do.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(self.0.len()).min(7);
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn all(text: &[u8], max_line: usize) -> Vec<Chunk> {
        let mut chunks = Chunks { max_line, ..Chunks::new(Drops(text), Position::default()) };
        std::iter::from_fn(|| chunks.next().unwrap()).collect()
    }

    #[test]
    fn chunks_join_to_the_whole_and_count_its_lines() {
        let line = format!("{}\n", "x".repeat(700_000));
        let text = format!("{}last", line.repeat(5));
        let chunks = all(text.as_bytes(), MAX_LINE);
        let mut joined = Vec::new();
        let mut at = Position::default();
        for chunk in &chunks {
            let Content::Lines(bytes) = &chunk.content else { panic!("a line is too long") };
            assert_eq!(chunk.start, at);
            joined.extend_from_slice(bytes);
            at = chunk.end;
        }
        assert!(chunks.len() > 2);
        assert!(joined == text.as_bytes());
        assert_eq!(at, Position { bytes: text.len() as u64, lines: 6 });
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let text = format!("a\n{}\nb\n", "x".repeat(5 << 20));
        let chunks = all(text.as_bytes(), 2 << 20);
        let found: Vec<(u64, bool)> = chunks
            .iter()
            .map(|chunk| (chunk.start.lines, chunk.content == Content::TooLong))
            .collect();
        assert_eq!(found, [(0, false), (1, true), (2, false)]);
        assert_eq!(chunks[2].end, Position { bytes: text.len() as u64, lines: 3 });
    }

    #[test]
    fn nothing_has_no_chunks() {
        assert!(all(b"", MAX_LINE).is_empty());
    }
}
