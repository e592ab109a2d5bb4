//! The file that is imported: plain, gzip or zstd, told apart by its first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;

const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// How many bytes are read from the file at once.
const BUFFER: usize = 1 << 20;

/// A stream of lines.
pub(crate) struct Source {
    /// The lines.
    pub(crate) reader: Reader,
    /// How many bytes the file has, if it is one.
    pub(crate) len: Option<u64>,
    /// How many of them were read.
    pub(crate) read: Arc<AtomicU64>,
    /// Size and time of the last change, if it is a file: another import of the same goes on.
    pub(crate) version: Option<(u64, u128)>,
}

/// What unpacks the file, or does not have to.
pub(crate) enum Reader {
    /// A file that can be read from anywhere.
    Seekable(BufReader<Counted<File>>),
    /// Anything else.
    Stream(Box<dyn Read + Send>),
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        if path == Path::new("-") {
            let input = Counted { inner: io::stdin(), read: Arc::clone(&read) };
            let reader = unpack(BufReader::with_capacity(BUFFER, input), Reader::stream)?;
            return Ok(Self { reader, len: None, read, version: None });
        }
        let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
        let metadata = file.metadata().with_context(|| format!("open {}", path.display()))?;
        let is_file = metadata.is_file();
        let changed =
            metadata.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let version = changed.map(|at| (metadata.len(), at.as_nanos())).filter(|_| is_file);
        let input = Counted { inner: file, read: Arc::clone(&read) };
        let plain = if is_file { Reader::Seekable } else { Reader::stream };
        let reader = unpack(BufReader::with_capacity(BUFFER, input), plain);
        let reader = reader.with_context(|| format!("read {}", path.display()))?;
        Ok(Self { reader, len: is_file.then_some(metadata.len()), read, version })
    }
}

impl Reader {
    fn stream<R: Read + Send + 'static>(reader: R) -> Self {
        Self::Stream(Box::new(reader))
    }

    /// Passes over the first bytes.
    pub(crate) fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Self::Seekable(reader) => {
                reader.seek(SeekFrom::Start(bytes))?;
                reader.get_ref().read.store(bytes, Ordering::Relaxed);
            }
            Self::Stream(reader) => {
                io::copy(&mut reader.take(bytes), &mut io::sink())?;
            }
        }
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Seekable(reader) => reader.read(buffer),
            Self::Stream(reader) => reader.read(buffer),
        }
    }
}

fn unpack<R: Read + Send + 'static>(
    mut reader: BufReader<R>,
    plain: impl FnOnce(BufReader<R>) -> Reader,
) -> io::Result<Reader> {
    let start = reader.fill_buf()?;
    if start.starts_with(GZIP) {
        Ok(Reader::stream(flate2::bufread::MultiGzDecoder::new(reader)))
    } else if start.starts_with(ZSTD) {
        Ok(Reader::stream(zstd::Decoder::with_buffer(reader)?))
    } else {
        Ok(plain(reader))
    }
}

/// Counts what is read.
pub(crate) struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.read.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::import::chunks::{Chunks, Content, Position};

    /// Lines packed both ways, and plain.
    fn packed(text: &[u8]) -> [Vec<u8>; 3] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        [gzip.finish().unwrap(), zstd::encode_all(text, 1).unwrap(), text.to_vec()]
    }

    /// What can be read up to the first fault.
    fn read(bytes: Vec<u8>) -> Vec<u8> {
        let Ok(reader) = unpack(BufReader::new(io::Cursor::new(bytes)), Reader::stream) else {
            return Vec::new();
        };
        let mut chunks = Chunks::new(reader, Position::default());
        let mut lines = Vec::new();
        while let Ok(Some(chunk)) = chunks.next() {
            assert!(chunk.start.bytes < chunk.end.bytes);
            if let Content::Lines(bytes) = chunk.content {
                lines.extend(bytes);
            }
        }
        lines
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_up_to_a_fault(
            magic in prop::sample::select(vec![GZIP, ZSTD, b"\x1f\x8b\x08\0\0\0\0\0\0\x03", b""]),
            rest in vec(any::<u8>(), 0..200),
        ) {
            read([magic, &rest].concat());
        }

        #[test]
        fn what_is_damaged_is_read_up_to_there(
            text in "([a-z]{0,20}\n){1,50}",
            at in any::<Index>(),
            byte in any::<u8>(),
            is_cut in any::<bool>(),
        ) {
            for mut bytes in packed(text.as_bytes()) {
                let at = at.index(bytes.len());
                if is_cut {
                    // Whatever is shorter than the first bytes of a packed file may be plain.
                    bytes.truncate(at.max(ZSTD.len()));
                    prop_assert!(text.as_bytes().starts_with(&read(bytes)));
                } else {
                    bytes[at] = byte;
                    read(bytes);
                }
            }
        }
    }
}
