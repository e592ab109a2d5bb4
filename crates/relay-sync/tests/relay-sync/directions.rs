//! Which way events go.

use event::Event;
use relay_sync::{Direction, SyncProgress, sync_with};
use store::conformance::{ALICE, BOB, note};

use crate::house::{House, ids_of, options};

/// Two relays with 300 notes in common and some of their own, and these: those only here, those only there.
async fn neighbours() -> (House, House, Vec<Event>, Vec<Event>) {
    let (here, there) = (House::new().await, House::new().await);
    let notes = |author, count: u64, at| {
        (0..count).map(move |n| note(author, at + n, "x")).collect::<Vec<_>>()
    };
    let shared = notes(&ALICE, 300, 1_000);
    let (ours, theirs) = (notes(&BOB, 130, 1_100), notes(&BOB, 250, 2_000));
    let all = |own: &Vec<Event>| [&shared[..], own].concat();
    here.take(&all(&ours).iter().collect::<Vec<_>>()).await;
    there.take(&all(&theirs).iter().collect::<Vec<_>>()).await;
    (here, there, ours, theirs)
}

#[tokio::test]
async fn down_takes_what_is_missing_and_gives_nothing() {
    let (here, there, ours, theirs) = neighbours().await;
    let before = there.ids().await;
    let report = here.sync(&there.url, Direction::Down).await;
    assert_eq!((report.have, report.need), (130, 250));
    assert_eq!((report.fetched, report.stored, report.sent), (250, 250, 0));
    assert!(report.moved_all(Direction::Down));
    assert_eq!(there.ids().await, before);
    assert_eq!(here.ids().await.len(), 300 + ours.len() + theirs.len());
}

#[tokio::test]
async fn up_gives_what_is_missing_and_takes_nothing() {
    let (here, there, ours, theirs) = neighbours().await;
    let before = here.ids().await;
    let report = here.sync(&there.url, Direction::Up).await;
    assert_eq!((report.fetched, report.sent, report.accepted), (0, 130, 130));
    assert_eq!(here.ids().await, before);
    assert_eq!(there.ids().await.len(), 300 + ours.len() + theirs.len());
}

#[tokio::test]
async fn both_makes_them_equal_and_the_next_time_nothing_moves() {
    let (here, there, ours, theirs) = neighbours().await;
    let report = here.sync(&there.url, Direction::Both).await;
    assert_eq!((report.stored, report.accepted), (250, 130));
    assert_eq!(here.ids().await, there.ids().await);
    assert_eq!(here.ids().await.len(), 300 + ours.len() + theirs.len());
    let again = here.sync(&there.url, Direction::Both).await;
    assert_eq!((again.have, again.need, again.fetched, again.sent), (0, 0, 0, 0));
}

#[tokio::test]
async fn none_names_the_differences_and_moves_nothing() {
    let (here, there, ours, theirs) = neighbours().await;
    let before = (here.ids().await, there.ids().await);
    let (mut have, mut need) = (Vec::new(), Vec::new());
    let progress = |step: SyncProgress<'_>, _: &_| {
        if let SyncProgress::Round { have: ours, need: theirs } = step {
            have.extend_from_slice(ours);
            need.extend_from_slice(theirs);
        }
    };
    let report =
        sync_with(&there.url, &*here.store, &options(Direction::None), progress).await.unwrap();
    assert_eq!((report.have, report.need, report.fetched, report.sent), (130, 250, 0, 0));
    have.sort_unstable();
    need.sort_unstable();
    assert_eq!(have, ids_of(&ours.iter().collect::<Vec<_>>()));
    assert_eq!(need, ids_of(&theirs.iter().collect::<Vec<_>>()));
    assert_eq!((here.ids().await, there.ids().await), before);
}

#[tokio::test]
async fn a_filter_limits_what_moves() {
    let (here, there, _, _) = neighbours().await;
    let mut options = options(Direction::Both);
    options.filter = r#"{"kinds":[1],"since":2000,"until":2009,"limit":1}"#.parse().unwrap();
    let report = here.try_sync(&there.url, options).await.unwrap();
    assert_eq!((report.have, report.need, report.stored), (0, 10, 10));
}
