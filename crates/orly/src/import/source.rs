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
