use std::fmt::Write;
use std::path::{Path, PathBuf};

use event::{Draft, Keys, Kind, Timestamp};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;

use super::*;
use crate::import::check::Trust;
use crate::import::source::Source;

/// How many lines the file has: three chunks of them.
const LINES: u64 = 3000;

struct Bench {
    dir: TempDir,
    store: Arc<dyn Store>,
}

impl Bench {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = LmdbStore::open(Options::new(dir.path().join("store")), vec![]).unwrap();
        let bench = Self { dir, store: Arc::new(store) };
        std::fs::write(bench.file(), lines()).unwrap();
        bench
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("events")
    }

    fn resume(&self) -> Resume {
        Resume::new(Arc::clone(&self.store), &Source::open(&self.file()).unwrap(), &self.file())
    }

    /// An import from where the last one stopped.
    async fn run(&self) -> Run {
        let source = Source::open(&self.file()).unwrap();
        let start = self.resume().position().await.unwrap().unwrap_or_default();
        let read = Arc::clone(&source.read);
        let pipeline = Pipeline::start(source, start, Trust::All).unwrap();
        let store = Arc::clone(&self.store);
        Run::new(store, self.resume(), pipeline, Progress::start(None), read, start)
    }

    async fn stored(&self) -> u64 {
        self.store.status().await.unwrap().events
    }
}

/// Distinct events that nobody verifies.
fn lines() -> String {
    let draft = Draft {
        created_at: Timestamp::from_secs(1),
        kind: Kind::new(1),
        tags: vec![],
        content: "x".repeat(700),
    };
    let json = Keys::from_secret([7; 32]).unwrap().sign(&draft).as_ref().to_json();
    let mut text = String::new();
    for at in 0..LINES {
        let (start, rest) = json.split_at(7);
        writeln!(text, "{start}{at:064x}{}", &rest[64..]).unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_before_a_stop_is_saved_and_not_read_again() {
    let bench = Bench::new();
    let mut run = bench.run().await;
    let shutdown = CancellationToken::new();
    // One chunk is read, then the signal comes.
    let checked = run.pipeline.next().await.unwrap().unwrap();
    let lines = checked.end.lines;
    run.end = checked.end;
    run.batch = checked.events;
    shutdown.cancel();
    assert_eq!(run.all(&shutdown).await.unwrap(), Ended::Interrupted { line: lines });
    assert!(0 < lines && lines < LINES);
    assert_eq!(bench.stored().await, lines);

    let mut again = bench.run().await;
    assert_eq!(again.all(&CancellationToken::new()).await.unwrap(), Ended::Complete);
    assert_eq!(bench.stored().await, LINES);
    assert!(
        again.finish().1.starts_with(&format!("read        {} lines", {
            crate::figures::grouped(LINES - lines)
        }))
    );
    assert_eq!(bench.resume().position().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_before_the_first_chunk_leaves_the_marker_alone() {
    let bench = Bench::new();
    let place = Position { bytes: 0, lines: 0 };
    bench.resume().save(place).await.unwrap();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let ended = bench.run().await.all(&shutdown).await.unwrap();
    assert_eq!(ended, Ended::Interrupted { line: 0 });
    assert_eq!(bench.resume().position().await.unwrap(), Some(place));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_of_the_file_starts_anew() {
    let bench = Bench::new();
    bench.resume().save(Position { bytes: 10, lines: 1 }).await.unwrap();
    assert!(bench.resume().position().await.unwrap().is_some());
    std::fs::write(bench.file(), "other").unwrap();
    assert_eq!(bench.resume().position().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_is_saved_up_to_there() {
    let bench = Bench::new();
    let packed = zstd::encode_all(lines().as_bytes(), 1).unwrap();
    std::fs::write(bench.file(), &packed[..packed.len() - 10]).unwrap();
    let error = bench.run().await.all(&CancellationToken::new()).await.unwrap_err();
    assert!(format!("{error:#}").starts_with("read events: "), "{error:#}");
    assert!(bench.stored().await > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_whole_line_before_the_break_is_lost() {
    let bench = Bench::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    std::io::Write::write_all(&mut gzip, lines().as_bytes()).unwrap();
    let packed = gzip.finish().unwrap();
    // Only what gzip writes behind the last line is missing.
    std::fs::write(bench.file(), &packed[..packed.len() - 8]).unwrap();
    bench.run().await.all(&CancellationToken::new()).await.unwrap_err();
    assert_eq!(bench.stored().await, LINES);
}

#[test]
fn standard_input_is_not_read_twice() {
    let dir = TempDir::new().unwrap();
    let store = LmdbStore::open(Options::new(dir.path()), vec![]).unwrap();
    let source = Source {
        reader: crate::import::source::Reader::Stream(Box::new(std::io::empty())),
        len: None,
        read: Arc::default(),
        version: None,
    };
    let resume = Resume::new(Arc::new(store), &source, Path::new("-"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(resume.save(Position { bytes: 1, lines: 1 })).unwrap();
    assert_eq!(runtime.block_on(resume.position()).unwrap(), None);
}
