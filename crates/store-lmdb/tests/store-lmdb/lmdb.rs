//! Databases for tests.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use event::Event;
use store::conformance::{ALICE, SerialEngine, Subject, note, relay_urls};
use store::{EventStore, SerialStore};
use store_lmdb::{CheckReport, LmdbError, LmdbStore, Options};
use tempfile::TempDir;

/// The engine under test. When a test is done with a store, the store is checked.
pub(crate) struct Engine;

#[async_trait]
impl store::conformance::Engine for Engine {
    async fn fresh(&self) -> Subject {
        let dir = scratch();
        let store = Arc::new(open(dir.path()));
        Subject::new(Arc::clone(&store), Checked { store, _dir: dir })
    }
}

#[async_trait]
impl SerialEngine for Engine {
    async fn fresh(&self) -> (Arc<dyn EventStore>, Arc<dyn SerialStore>, Box<dyn Any + Send>) {
        let dir = scratch();
        let store = Arc::new(open(dir.path()));
        let checked = Checked { store: Arc::clone(&store), _dir: dir };
        (Arc::clone(&store) as _, store, Box::new(checked))
    }
}

/// A database that is checked before it goes.
struct Checked {
    store: Arc<LmdbStore>,
    _dir: TempDir,
}

impl Drop for Checked {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_sound(&self.store);
        }
    }
}

/// A directory that is gone when the test is; in memory if the system offers that.
pub(crate) fn scratch() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

pub(crate) fn open(path: &Path) -> LmdbStore {
    try_open(Options::new(path)).unwrap()
}

pub(crate) fn try_open(options: Options) -> Result<LmdbStore, LmdbError> {
    LmdbStore::open(options, relay_urls())
}

pub(crate) fn subject(store: LmdbStore) -> (Arc<LmdbStore>, Subject) {
    let store = Arc::new(store);
    (Arc::clone(&store), Subject::new(store, ()))
}

/// Every index and every summary tree must agree with the events.
pub(crate) fn assert_sound(store: &LmdbStore) {
    let report = store.check().unwrap();
    assert_eq!(report, CheckReport { faults: 0, examples: Vec::new(), ..report.clone() });
}

/// Notes of 10 KiB.
pub(crate) fn large_notes() -> impl Iterator<Item = Event> {
    (0..).map(|at| note(&ALICE, at, &"x".repeat(10 << 10)))
}
