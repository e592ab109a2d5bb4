//! What was deleted or replaced stays so.

use event::Event;
use relay_sync::Direction;
use store::conformance::{ALICE, event, note};

use crate::house::{House, ids_of};

fn deletion(at: u64, deleted: &Event) -> Event {
    event(&ALICE, 5, at, &[&["e", &deleted.as_ref().id().to_string()]], "")
}

#[tokio::test]
async fn a_deleted_event_is_not_brought_back() {
    let (here, there) = (House::new().await, House::new().await);
    let note = note(&ALICE, 1000, "regretted");
    let request = deletion(1001, &note);
    here.take(&[&note]).await;
    here.take(&[&request]).await;
    there.take(&[&note]).await;
    let report = here.sync(&there.url, Direction::Down).await;
    assert_eq!(report.stored, 0);
    assert_eq!(report.passed_over.iter().collect::<Vec<_>>(), [("deleted here", 1)]);
    assert!(report.moved_all(Direction::Down), "there is no place for it here");
    assert_eq!(here.ids().await, ids_of(&[&request]));
}

#[tokio::test]
async fn deletions_go_first_in_both_directions() {
    let (here, there) = (House::new().await, House::new().await);
    let [a, b] = ["a", "b"].map(|content| note(&ALICE, 1000, content));
    let (without_a, without_b) = (deletion(1001, &a), deletion(1002, &b));
    here.take(&[&a, &without_b]).await;
    there.take(&[&b, &without_a]).await;
    let report = here.sync(&there.url, Direction::Both).await;
    // Once the deletions had moved, neither note was left to be offered.
    assert_eq!((report.fetched, report.sent), (1, 1));
    assert_eq!(here.ids().await, ids_of(&[&without_a, &without_b]));
    assert_eq!(there.ids().await, here.ids().await);
}

#[tokio::test]
async fn the_newest_version_wins_on_both_sides() {
    let (here, there) = (House::new().await, House::new().await);
    let profile = |at, text: &str| event(&ALICE, 0, at, &[], text);
    let article = |at, text: &str| event(&ALICE, 30_023, at, &[&["d", "x"]], text);
    let (old, new) = (profile(1000, "old"), profile(1001, "new"));
    let (draft, done) = (article(1000, "draft"), article(1001, "done"));
    here.take(&[&old, &done]).await;
    there.take(&[&new, &draft]).await;
    let report = here.sync(&there.url, Direction::Both).await;
    assert!(report.moved_all(Direction::Both), "{report:?}");
    assert_eq!(here.ids().await, ids_of(&[&new, &done]));
    assert_eq!(there.ids().await, here.ids().await);
    let again = here.sync(&there.url, Direction::Both).await;
    assert_eq!((again.have, again.need), (0, 0));
}

#[tokio::test]
async fn an_older_version_that_the_peer_has_replaced_counts_as_moved() {
    let (here, there) = (House::new().await, House::new().await);
    here.take(&[&event(&ALICE, 0, 1000, &[], "old")]).await;
    there.take(&[&event(&ALICE, 0, 1001, &[], "new")]).await;
    let report = here.sync(&there.url, Direction::Up).await;
    assert_eq!((report.sent, report.accepted), (1, 1));
    assert!(report.moved_all(Direction::Up));
}

#[tokio::test]
async fn what_the_peer_has_deleted_is_not_moved_and_the_reason_is_kept() {
    let (here, there) = (House::new().await, House::new().await);
    let note = note(&ALICE, 1000, "regretted");
    here.take(&[&note]).await;
    there.take(&[&deletion(1001, &note)]).await;
    let report = here.sync(&there.url, Direction::Up).await;
    assert_eq!((report.sent, report.accepted), (1, 0));
    assert_eq!(report.refused.iter().collect::<Vec<_>>(), [("blocked: this event was deleted", 1)]);
    assert!(!report.moved_all(Direction::Up));
}
