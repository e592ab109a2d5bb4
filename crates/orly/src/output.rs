//! Where the answers of commands go: standard output, or a file, packed or not.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

/// How many bytes are gathered before they are written.
const BUFFER: usize = 1 << 18;

/// Prints lines to standard output. A reader that went away misses them, which fails nothing.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("write to standard output"),
    }
}

/// The exit code of a command that only prints, which could not.
pub(crate) fn told(printed: anyhow::Result<()>) -> ExitCode {
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether the reader of a pipe went away, as `head` does: no failure of ours.
pub(crate) fn is_reader_gone(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Where an export goes. A file gets its name when all is written.
pub(crate) struct Output {
    writer: Writer,
    part: Option<Part>,
}

/// A file that is not complete; it goes away if it does not become so.
struct Part {
    written: PathBuf,
    wanted: PathBuf,
}

impl Drop for Part {
    fn drop(&mut self) {
        // After the renaming it is not there.
        drop(std::fs::remove_file(&self.written));
    }
}

enum Writer {
    Plain(BufWriter<Box<dyn Write + Send>>),
    Zstd(zstd::Encoder<'static, BufWriter<Box<dyn Write + Send>>>),
}

impl Output {
    /// Opens the file, or standard output for `-`.
    pub(crate) fn create(path: &Path, zstd: bool) -> anyhow::Result<Self> {
        let (writer, part): (Box<dyn Write + Send>, _) = if path == Path::new("-") {
            (Box::new(io::stdout()), None)
        } else if path.exists() && !path.is_file() {
            // A pipe or device is written to as it is.
            (Box::new(create(path)?), None)
        } else {
            let mut written = path.as_os_str().to_owned();
            written.push(".part");
            let part = Part { written: written.into(), wanted: path.to_owned() };
            (Box::new(create(&part.written)?), Some(part))
        };
        let writer = BufWriter::with_capacity(BUFFER, writer);
        let writer = if zstd {
            let level = zstd::DEFAULT_COMPRESSION_LEVEL;
            Writer::Zstd(zstd::Encoder::new(writer, level).context("start zstd")?)
        } else {
            Writer::Plain(writer)
        };
        Ok(Self { writer, part })
    }

    /// Writes bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.writer {
            Writer::Plain(writer) => writer.write_all(bytes),
            Writer::Zstd(writer) => writer.write_all(bytes),
        }
    }

    /// Writes what is left, and gives the file its name.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        let writer = match self.writer {
            Writer::Plain(writer) => Ok(writer),
            Writer::Zstd(writer) => writer.finish(),
        };
        writer.and_then(|mut writer| writer.flush()).context("write the last events")?;
        if let Some(Part { written, wanted }) = &self.part {
            std::fs::rename(written, wanted)
                .with_context(|| format!("rename {} to {}", written.display(), wanted.display()))?;
        }
        Ok(())
    }
}

fn create(path: &Path) -> anyhow::Result<File> {
    File::create(path).with_context(|| format!("create {}", path.display()))
}
