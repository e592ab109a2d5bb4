//! Sets that are too large for one side.

use event::Event;
use reconcile::FrameSizeLimit;
use relay_client::ClientError;
use relay_sync::{Direction, SessionSettings, SyncFailure};
use store::conformance::{ALICE, BOB, note};

use crate::house::{House, options};

/// By author, so that the relay has to gather the set.
const BY_AUTHOR: &str =
    r#"{"authors":["1b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f"]}"#;

fn notes(count: u64) -> Vec<Event> {
    (0..count).map(|n| note(&ALICE, 1000 + n * 1000, "x")).collect()
}

async fn small(max_records: u64) -> House {
    House::with(|_| (), SessionSettings { max_records, ..SessionSettings::default() }).await
}

#[tokio::test]
async fn a_set_that_the_peer_refuses_is_divided_by_time() {
    let (here, there) = (House::new().await, small(10).await);
    let notes = notes(60);
    there.take(&notes.iter().collect::<Vec<_>>()).await;
    let mut options = options(Direction::Both);
    options.filter = BY_AUTHOR.parse().unwrap();
    let report = here.try_sync(&there.url, options).await.unwrap();
    assert_eq!(report.stored, 60);
    assert!(report.sessions >= 6, "{report:?}");
}

#[tokio::test]
async fn a_set_of_our_own_that_is_too_large_is_divided_by_time() {
    let (here, there) = (House::new().await, House::new().await);
    let notes = notes(60);
    here.take(&notes.iter().collect::<Vec<_>>()).await;
    let mut options = options(Direction::Up);
    options.filter = BY_AUTHOR.parse().unwrap();
    options.max_records = 10;
    let report = here.try_sync(&there.url, options).await.unwrap();
    assert_eq!(report.accepted, 60);
}

#[tokio::test]
async fn a_second_that_is_too_large_is_an_error_that_says_so() {
    let (here, there) = (House::new().await, small(3).await);
    let notes: Vec<Event> = (0..9).map(|n| note(&ALICE, 1000, &n.to_string())).collect();
    there.take(&notes.iter().collect::<Vec<_>>()).await;
    let mut options = options(Direction::Down);
    options.filter = BY_AUTHOR.parse().unwrap();
    let error = here.try_sync(&there.url, options).await.unwrap_err();
    assert!(
        matches!(error.failure, SyncFailure::Peer(ClientError::TooLarge { max: Some(3), .. })),
        "{:?}",
        error.failure
    );
}

#[tokio::test]
async fn the_smallest_frames_carry_any_difference() {
    let limit = FrameSizeLimit::new(4096).unwrap();
    let there =
        House::with(|_| (), SessionSettings { frame_size_limit: limit, ..Default::default() })
            .await;
    let here = House::new().await;
    let notes =
        |author, from: u64| (from..from + 2000).map(|n| note(author, n, "x")).collect::<Vec<_>>();
    here.take(&notes(&ALICE, 1000).iter().collect::<Vec<_>>()).await;
    there.take(&notes(&BOB, 2000).iter().collect::<Vec<_>>()).await;
    let mut options = options(Direction::Both);
    options.frame_size_limit = limit;
    let report = here.try_sync(&there.url, options).await.unwrap();
    assert_eq!(
        (report.have, report.need, report.stored, report.accepted),
        (2000, 2000, 2000, 2000)
    );
    assert_eq!(here.ids().await, there.ids().await);
}
