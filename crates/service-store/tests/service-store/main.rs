//! What the wiring of processes relies on. It stands in a binary of its own, because it breaks one of its own files.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[path = "../../../store-lmdb/tests/store-lmdb/failing_disk.rs"]
mod failing_disk;

use service_settings::EmbeddedStore;
use service_store::EventStore;
use store::Markers;
use store_lmdb::Access;
use tokio_util::sync::CancellationToken;

use failing_disk::fail_end_of_commit;

#[tokio::test]
async fn work_ends_and_fails_when_the_disk_of_the_store_does() {
    let dir = tempfile::tempdir().unwrap();
    let settings = EmbeddedStore { data_dir: dir.path().to_owned(), map_size_mb: 0 };
    let store: EventStore = service_store::open(&settings, Access::Create, vec![]).unwrap().into();
    let shutdown = CancellationToken::new();
    let work = async {
        let parts = store.get();
        parts.set_marker("kept", Some(vec![1])).await?;
        let _full = fail_end_of_commit();
        parts.set_marker("lost", Some(vec![1])).await.unwrap_err();
        shutdown.cancelled().await;
        Ok(())
    };
    let error = store.while_sound(&shutdown, work).await.unwrap_err().to_string();
    let path = dir.path().display();
    assert!(
        error.starts_with(&format!("the disk of the event store in {path} failed: ")),
        "{error}"
    );
    assert!(error.ends_with("No space left on device (os error 28)"), "{error}");

    drop(store);
    let store = service_store::open(&settings, Access::Create, vec![]).unwrap();
    assert_eq!(store.marker("kept").await.unwrap(), Some(vec![1]));
    assert_eq!(store.marker("lost").await.unwrap(), None);
}
