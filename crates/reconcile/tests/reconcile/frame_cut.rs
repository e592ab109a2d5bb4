//! Messages cut by a frame size limit lose no item.
//!
//! The rest of a cut message is a fingerprint that begins at the last bound written. Several implementations make it
//! begin at the last bound read, and lose what lies between.

use event::{EventId, Timestamp};
use reconcile::Item;

use crate::peer::{Engine, Side, differences, reconcile};

fn item(secs: u64, number: u16) -> Item {
    let mut id = [0; 32];
    id[..2].copy_from_slice(&number.to_le_bytes());
    Item { created_at: Timestamp::from_secs(secs), id: EventId::new(id) }
}

fn numbered(first: u16, times: impl Iterator<Item = u64>) -> impl Iterator<Item = Item> {
    times.zip(first..).map(|(secs, number)| item(secs, number))
}

/// Two sets on which the known implementations lose items when the initiator may send 4096 and the responder 4767 bytes.
fn sets() -> (Vec<Item>, Vec<Item>) {
    let shared = || {
        let crowd = numbered(1586, (15_900..15_980).step_by(2));
        numbered(1, (1000..16_000).step_by(10)).chain(crowd)
    };
    let clusters = (0..35).map(|n| 1201 + n % 8).chain((0..35).map(|n| 2201 + n % 8));
    let client = shared()
        .chain(numbered(1516, clusters))
        .chain(numbered(1627, (50_000..51_100).step_by(10)));
    let server =
        shared().chain(numbered(1501, (1005..16_000).step_by(1000))).chain([item(15_999, 1626)]);
    (client.collect(), server.collect())
}

#[track_caller]
fn check(client: &[Item], server: &[Item], limits: (usize, usize)) {
    let expected = differences(client, server);
    for engines in
        [(Engine::Ours, Engine::Ours), (Engine::Ours, Engine::Crate), (Engine::Crate, Engine::Ours)]
    {
        let outcome = reconcile(
            Side { engine: engines.0, items: client, limit: limits.0 },
            Side { engine: engines.1, items: server, limit: limits.1 },
        );
        assert!(
            (outcome.have, outcome.need) == expected,
            "items lost with {engines:?} at {limits:?}"
        );
    }
}

#[test]
fn the_known_case_loses_nothing() {
    let (client, server) = sets();
    assert_eq!((client.len(), server.len()), (1720, 1556));
    check(&client, &server, (4096, 4767));
}

#[test]
fn the_known_case_loses_nothing_at_other_limits_and_the_other_way() {
    let (client, server) = sets();
    for limit in (4096..5400).step_by(163) {
        check(&client, &server, (4096, limit));
        check(&server, &client, (limit, 4096));
    }
}

#[test]
fn a_list_cut_where_the_client_has_nothing_loses_nothing() {
    let client: Vec<Item> = numbered(0, 1000..1040).collect();
    for gap in 100..150 {
        // They lie above all that the client has in its first bucket, the three items up to 1002.
        let gap: Vec<Item> = numbered(100, std::iter::repeat_n(1002, gap)).collect();
        check(&client, &[&client[..], &gap].concat(), (4096, 4096));
    }
}

#[test]
fn an_empty_client_gets_all_of_a_large_server() {
    let server: Vec<Item> = numbered(0, (0..20_000).map(|number| 1000 + number / 300)).collect();
    check(&[], &server, (4096, 4096));
    check(&server, &[], (4096, 4096));
}

#[test]
fn sets_that_share_nothing_swap_everything() {
    let all: Vec<Item> = numbered(0, (0..8_000).map(|number| 1000 + number / 7)).collect();
    let (odd, even): (Vec<Item>, Vec<Item>) =
        all.iter().partition(|item| item.id.as_bytes()[0] % 2 == 1);
    check(&odd, &even, (4096, 4500));
}
