//! Opening, and opening again.

use event::EventId;
use store::conformance::{ALICE, BOB, event, note};
use store::{EventStore, Markers, SaveOutcome, Serial, StoreError, Tombstone};
use store_lmdb::{Access, LmdbError, Options};

use crate::lmdb::{assert_sound, open, scratch, subject, try_open};

#[tokio::test]
async fn all_is_there_again() {
    let dir = scratch();
    let [old, new] = [100, 101].map(|at| event(&ALICE, 0, at, &[], ""));
    let (kept, removed) = (note(&ALICE, 100, "kept"), note(&ALICE, 100, "removed"));
    let vanish = event(&BOB, 62, 200, &[&["relay", "ALL_RELAYS"]], "");
    {
        let (store, subject) = subject(open(dir.path()));
        subject.accepts(&[&old, &kept, &removed, &vanish]).await;
        subject.accepts(&[&new]).await;
        store.delete(&[removed.as_ref().id()], Tombstone::Keep).await.unwrap();
        store.set_marker("key", Some(b"value".to_vec())).await.unwrap();
    }
    let (store, subject) = subject(open(dir.path()));
    assert_eq!(subject.all(r#"{"kinds":[0,1]}"#).await, [new, kept]);
    assert_eq!(store.marker("key").await.unwrap().unwrap(), b"value");
    let outcomes = subject.save(&[&old, &removed, &note(&BOB, 100, "")]).await.unwrap();
    assert_eq!(outcomes, [SaveOutcome::Superseded, SaveOutcome::Deleted, SaveOutcome::Vanished]);
    assert_eq!(subject.accepts(&[&note(&ALICE, 102, "")]).await, [Serial::new(6)]);
    assert_sound(&store);
}

#[test]
fn what_was_queued_is_on_disk_when_the_store_is_dropped() {
    let dir = scratch();
    let notes: Vec<_> = (0..50).map(|at| note(&ALICE, at, "")).collect();
    let ids: Vec<EventId> = notes.iter().map(|note| note.as_ref().id()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = open(dir.path());
    runtime.block_on(async {
        for note in notes {
            // Polled once, it is queued; its answer is not waited for.
            let mut save = store.save(vec![note]);
            drop(poll_once(&mut save).await);
        }
    });
    drop(store);
    let found = runtime.block_on(open(dir.path()).contains(&ids)).unwrap();
    assert!(found.into_iter().all(|is_stored| is_stored));
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_made_for_readers() {
    let dir = scratch();
    for access in [Access::Read, Access::Write] {
        let path = dir.path().join("absent");
        let opened = try_open(Options { access, ..Options::new(&path) });
        let error = opened.err().expect("nothing is there");
        assert!(matches!(error, LmdbError::Absent(_)), "{error:?}");
        let text =
            format!("no event store in {}: start the relay or import events first", path.display());
        assert_eq!(error.to_string(), text);
        assert!(!path.exists());
    }
}

#[tokio::test]
async fn a_reader_reads_and_does_not_write() {
    let dir = scratch();
    let note = note(&ALICE, 100, "");
    subject(open(dir.path())).1.accepts(&[&note]).await;
    let read = Options { access: Access::Read, ..Options::new(dir.path()) };
    let (store, subject) = subject(try_open(read).unwrap());
    assert_eq!(subject.all("{}").await, std::slice::from_ref(&note));
    let status = store.status().await.unwrap();
    assert_eq!((status.events, status.read_only.as_deref()), (1, Some("opened for reading")));
    let refused = [
        subject.save(&[&note]).await.err(),
        store.delete(&[note.as_ref().id()], Tombstone::Keep).await.err(),
        store.set_marker("key", None).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(StoreError::ReadOnly(_))), "{error:?}");
    }
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("store");
    let error = try_open(Options::new(&path)).err().expect("a file is in the way");
    let text = format!("open event store in {}", path.display());
    assert!(error.to_string().starts_with(&text), "{error}");
}

#[tokio::test]
async fn the_database_id_stays() {
    let dir = scratch();
    let first = open(dir.path()).describe().unwrap();
    let second = open(dir.path()).describe().unwrap();
    assert_eq!(first.database_id.len(), 16);
    assert_eq!((first.schema, first.database_id), (second.schema, second.database_id));
}

/// LMDB writes to the lock file through a map: without room on the disk that ends the process.
#[test]
fn the_lock_file_has_its_room_from_the_start() {
    use std::os::unix::fs::MetadataExt;
    let dir = scratch();
    let _store = open(dir.path());
    let lock = std::fs::metadata(dir.path().join("lock.mdb")).unwrap();
    assert!(lock.blocks() * 512 >= lock.len(), "{} of {} bytes", lock.blocks() * 512, lock.len());
}

async fn poll_once<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx)))
        .await
}
