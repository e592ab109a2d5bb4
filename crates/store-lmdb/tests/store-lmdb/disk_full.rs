//! A disk without room. It is a small one in memory, which only root may mount.

use std::path::Path;

use event::{Event, EventId};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use store::conformance::Subject;
use store::{EventStore, StoreError};
use store_lmdb::{LmdbStore, Options};

use crate::lmdb::{assert_sound, large_notes, subject, try_open};

const MIB: u64 = 1 << 20;

#[test]
fn a_full_disk_makes_the_store_read_only_until_there_is_room() {
    on_small_disk(async |disk| {
        let ballast = disk.join("ballast");
        std::fs::write(&ballast, vec![7; 6 << 20]).unwrap();
        let (store, subject) = subject(reserving(disk, 0));
        let (kept, refused) = fill(&subject, &store, disk).await;
        assert_all_there(&store, &kept).await;
        assert_sound(&store);
        assert!(store.status().await.unwrap().read_only.is_some());

        std::fs::remove_file(&ballast).unwrap();
        subject.accepts(&refused.iter().collect::<Vec<_>>()).await;
        assert_eq!(store.status().await.unwrap().read_only, None);
        assert_sound(&store);
    });
}

#[test]
fn a_store_on_a_full_disk_can_be_opened_and_read() {
    on_small_disk(async |disk| {
        let kept = {
            let (store, subject) = subject(reserving(disk, 0));
            fill(&subject, &store, disk).await.0
        };
        let (store, subject) = subject(reserving(disk, 0));
        assert_all_there(&store, &kept).await;
        assert_eq!(subject.all(r#"{"limit":5}"#).await.len(), 5);
        assert_sound(&store);
    });
}

#[test]
fn the_reserve_is_left_to_others() {
    on_small_disk(async |disk| {
        let (store, subject) = subject(reserving(disk, 4 * MIB));
        let (kept, _) = fill(&subject, &store, disk).await;
        std::fs::write(disk.join("others"), vec![7; 3 << 20]).unwrap();
        assert_all_there(&store, &kept).await;
    });
}

#[test]
fn a_database_on_a_full_disk_is_not_made() {
    on_small_disk(async |disk| {
        let mut ballast = std::fs::File::create(disk.join("ballast")).unwrap();
        while std::io::Write::write(&mut ballast, &[7; 4096]).is_ok_and(|written| written > 0) {}
        let error = try_open(Options::new(disk.join("store"))).err().expect("there is no room");
        assert!(error.to_string().starts_with("open event store in "), "{error}");
    });
}

/// Runs a test on a disk of 16 MiB that nobody else sees and that goes with the thread.
#[expect(clippy::print_stdout, reason = "a test says why it is skipped")]
fn on_small_disk(test: impl AsyncFn(&Path) + Send + 'static) {
    let work = move || {
        let dir = tempfile::TempDir::new().unwrap();
        let none = None::<&str>;
        let mounted = unshare(CloneFlags::CLONE_NEWNS)
            .and_then(|()| mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none))
            .and_then(|()| {
                mount(none, dir.path(), Some("tmpfs"), MsFlags::empty(), Some("size=16m"))
            });
        if let Err(error) = mounted {
            println!("skipped: mounting a small disk is not permitted ({error})");
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(test(dir.path()));
        // A child of another test may hold its files until it runs a program of its own.
        umount2(dir.path(), MntFlags::MNT_DETACH).unwrap();
    };
    if let Err(panic) = std::thread::spawn(work).join() {
        std::panic::resume_unwind(panic);
    }
}

fn reserving(disk: &Path, disk_reserve: u64) -> LmdbStore {
    try_open(Options { disk_reserve, ..Options::new(disk.join("store")) }).unwrap()
}

/// Saves until that fails, which must be for want of room: what was saved, and what was not.
async fn fill(subject: &Subject, store: &LmdbStore, disk: &Path) -> (Vec<Event>, Vec<Event>) {
    let mut notes = large_notes();
    let mut kept = Vec::new();
    loop {
        let batch: Vec<Event> = notes.by_ref().take(20).collect();
        match subject.save(&batch.iter().collect::<Vec<_>>()).await {
            Ok(_) => kept.extend(batch),
            Err(StoreError::ReadOnly(reason)) => {
                let path = disk.join("store");
                let text =
                    format!("no room left on the disk of {}: free some space", path.display());
                assert_eq!(reason, text);
                assert_eq!(store.status().await.unwrap().read_only, Some(text));
                return (kept, batch);
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

async fn assert_all_there(store: &LmdbStore, events: &[Event]) {
    let ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
    assert!(ids.len() > 100, "{}", ids.len());
    assert!(store.contains(&ids).await.unwrap().into_iter().all(|is_stored| is_stored));
}
