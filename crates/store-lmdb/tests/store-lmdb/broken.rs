//! A disk that fails at the end of a commit, which LMDB does not go on from.

use std::error::Error;
use std::time::Duration;

use event::EventId;
use store::conformance::{ALICE, note};
use store::{EventStore, StoreError};

use crate::child;
use crate::failing_disk::fail_end_of_commit;
use crate::lmdb::{assert_sound, open, scratch, subject};

#[tokio::test]
async fn a_broken_store_says_so_and_keeps_what_it_acknowledged() {
    let dir = scratch();
    let mut child = child::start("broken::child_saves_until_the_disk_fails", dir.path());
    let kept: EventId = child.next("stored").unwrap().parse().unwrap();
    let broken = child.next("broken").unwrap();
    let path = dir.path().display();
    assert_eq!(
        broken,
        format!(
            "the disk of the event store in {path} failed: what was acknowledged is safe, but only a new \
             process can go on: No space left on device (os error 28)"
        )
    );
    child.finish();
    let store = open(dir.path());
    assert_eq!(store.contains(&[kept]).await.unwrap(), [true]);
    assert_sound(&store);
    let (_, subject) = subject(store);
    subject.accepts(&[&note(&ALICE, 3, "")]).await;
}

#[tokio::test]
#[ignore = "started by a_broken_store_says_so_and_keeps_what_it_acknowledged"]
async fn child_saves_until_the_disk_fails() {
    let (store, subject) = subject(open(&child::path()));
    let first = note(&ALICE, 1, "");
    subject.accepts(&[&first]).await;
    eprintln!("stored {}", first.as_ref().id());
    let _full = fail_end_of_commit();
    let refused = store.save(vec![note(&ALICE, 2, "")]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    let unread = store.contains(&[first.as_ref().id()]).await.unwrap_err();
    assert!(matches!(unread, StoreError::Unavailable(_)), "{unread:?}");
    let broken = tokio::time::timeout(Duration::from_secs(5), store.broken()).await.unwrap();
    eprintln!("broken {broken}: {}", broken.source().unwrap());
}
