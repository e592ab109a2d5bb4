//! What the wiring of processes relies on. It stands in a binary of its own, because it breaks one of its own files.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;

use service_settings::EmbeddedStore;
use service_store::EventStore;
use store::Markers;
use store_lmdb::Access;
use tokio_util::sync::CancellationToken;

/// The flags of the file that LMDB writes the end of a commit through, in the words of /proc: O_DSYNC, O_WRONLY.
const END_OF_COMMIT: u32 = 0o10001;

#[tokio::test]
async fn work_ends_and_fails_when_the_disk_of_the_store_does() {
    let dir = tempfile::tempdir().unwrap();
    let settings = EmbeddedStore { data_dir: dir.path().to_owned(), map_size_mb: 0 };
    let store: EventStore = service_store::open(&settings, Access::Create, None).unwrap().into();
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
    let store = service_store::open(&settings, Access::Create, None).unwrap();
    assert_eq!(store.marker("kept").await.unwrap(), Some(vec![1]));
    assert_eq!(store.marker("lost").await.unwrap(), None);
}

/// Puts a full device in the place of the file.
fn fail_end_of_commit() -> File {
    let is_end = |fd: &i32| {
        let target = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0");
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        target.ends_with("data.mdb") && flags & END_OF_COMMIT == END_OF_COMMIT
    };
    let fd = (0..100).find(is_end).unwrap();
    nix::unistd::close(fd).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(full.as_raw_fd(), fd);
    full
}
