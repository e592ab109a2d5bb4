//! A relay that others wrote, with the reference library of NIP-77: `nostr-relay-builder`.

use event::Event;
use nostr_relay_builder::prelude::{MemoryDatabase, MemoryDatabaseOptions, RateLimit};
use nostr_relay_builder::{LocalRelay, RelayBuilder};
use relay_client::PeerUrl;
use relay_sync::Direction;
use store::conformance::{ALICE, BOB, event, note};

use crate::house::{House, options};

async fn foreign(notes_per_minute: u32) -> (LocalRelay, PeerUrl) {
    let database =
        MemoryDatabase::with_opts(MemoryDatabaseOptions { events: true, max_events: None });
    let limit = RateLimit { notes_per_minute, ..RateLimit::default() };
    let relay = LocalRelay::new(RelayBuilder::default().database(database).rate_limit(limit));
    relay.run().await.unwrap();
    let url = relay.url().await.to_string().parse().unwrap();
    (relay, url)
}

/// Notes and profiles; enough for several rounds.
fn life(author: &event::Keys, from: u64) -> Vec<Event> {
    let mut events: Vec<Event> = (from..from + 400).map(|at| note(author, at, "x")).collect();
    events.push(event(author, 0, from, &[], "{}"));
    events.push(event(author, 30_023, from, &[&["d", "a"]], "words"));
    events
}

#[tokio::test]
async fn up_down_and_both_make_it_hold_the_same() {
    let (_relay, url) = foreign(1_000_000).await;
    let (here, there) = (House::new().await, House::new().await);
    here.take(&life(&ALICE, 1000).iter().collect::<Vec<_>>()).await;
    let up = here.sync(&url, Direction::Up).await;
    assert_eq!((up.have, up.accepted), (402, 402), "{up:?}");

    there.take(&life(&BOB, 1200).iter().collect::<Vec<_>>()).await;
    let both = there.sync(&url, Direction::Both).await;
    assert_eq!((both.stored, both.accepted), (402, 402), "{both:?}");

    let down = here.sync(&url, Direction::Down).await;
    assert_eq!((down.need, down.stored), (402, 402), "{down:?}");
    assert_eq!(here.ids().await, there.ids().await);

    for house in [&here, &there] {
        let again = house.sync(&url, Direction::Both).await;
        assert_eq!((again.have, again.need, again.moved()), (0, 0, 0));
    }
}

#[tokio::test]
async fn what_its_rate_limit_refuses_is_told() {
    let (_relay, url) = foreign(10).await;
    let here = House::new().await;
    here.take(&life(&ALICE, 1000).iter().collect::<Vec<_>>()).await;
    let report = here.try_sync(&url, options(Direction::Up)).await.unwrap();
    assert!(report.accepted < 402 && !report.moved_all(Direction::Up), "{report:?}");
    assert_eq!(report.accepted + report.refused.total(), 402);
    assert!(
        report.refused.iter().all(|(reason, _)| reason.starts_with("rate-limited")),
        "{report:?}"
    );
}
