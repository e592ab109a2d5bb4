//! Relays with any two histories come to serve the same, and then nothing moves.

use event::{Event, Keys};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any};
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use relay_sync::Direction;
use store::conformance::{ALICE, BOB, event};

use crate::house::House;

/// Far enough in the future not to be over in this test.
const FAR: &str = "99999999999";

/// A step in the life of a relay, which may name what came before it.
#[derive(Clone, Debug)]
enum Step {
    Write { author: usize, kind: u16, at: u64, d: &'static str, expires: Option<&'static str> },
    Delete { at: u64, target: Index },
    DeleteAddress { author: usize, kind: u16, at: u64, d: &'static str },
    Vanish { author: usize, at: u64 },
}

/// Which relay a step happens at.
#[derive(Clone, Copy, Debug)]
enum Where {
    Here,
    There,
    Everywhere,
}

fn step() -> impl Strategy<Value = Step> {
    // Few times and names: they shall collide.
    let at = || 1000..1012_u64;
    // No request to vanish removes a deletion request: what that deleted would stay deleted at one
    // relay, and the other would never hear why.
    let deleted_at = || 1004..1012_u64;
    let d = || select(vec!["", "x"]);
    proptest::prop_oneof![
        12 => (0..2usize, select(vec![0, 1, 1, 1, 4, 7, 1059, 10_002, 30_023]), at(), d(), select(vec![None, None, None, Some("1"), Some(FAR)]))
            .prop_map(|(author, kind, at, d, expires)| Step::Write { author, kind, at, d, expires }),
        2 => (deleted_at(), any::<Index>()).prop_map(|(at, target)| Step::Delete { at, target }),
        1 => (0..2usize, select(vec![0, 10_002, 30_023]), deleted_at(), d())
            .prop_map(|(author, kind, at, d)| Step::DeleteAddress { author, kind, at, d }),
        1 => (0..2usize, 1000..1004_u64).prop_map(|(author, at)| Step::Vanish { author, at }),
    ]
}

fn place() -> impl Strategy<Value = Where> {
    proptest::prop_oneof![3 => Just(Where::Here), 3 => Just(Where::There), 2 => Just(Where::Everywhere)]
}

fn keys(author: usize) -> &'static Keys {
    if author == 0 { &ALICE } else { &BOB }
}

fn draw(step: &Step, number: usize, made: &[Event]) -> Event {
    let word = number.to_string();
    match step {
        Step::Write { author, kind, at, d, expires } => {
            let mut tags = vec![vec!["d", *d]];
            tags.extend(expires.map(|at| vec!["expiration", at]));
            let tags: Vec<&[&str]> = tags.iter().map(|tag| &tag[..]).collect();
            event(keys(*author), *kind, *at, &tags, &word)
        }
        Step::Delete { at, target } => {
            let Some(target) = made.get(target.index(made.len().max(1))) else {
                return event(&ALICE, 5, *at, &[], &word);
            };
            let author = if target.as_ref().pubkey() == ALICE.pubkey() { &ALICE } else { &BOB };
            event(author, 5, *at, &[&["e", &target.as_ref().id().to_string()]], &word)
        }
        Step::DeleteAddress { author, kind, at, d } => {
            let author = keys(*author);
            let d = if *kind == 30_023 { *d } else { "" };
            event(author, 5, *at, &[&["a", &format!("{kind}:{}:{d}", author.pubkey())]], &word)
        }
        Step::Vanish { author, at } => {
            event(keys(*author), 62, *at, &[&["relay", "ALL_RELAYS"]], &word)
        }
    }
}

async fn check(history: &[(Where, Step)]) {
    let (here, there) = (House::new().await, House::new().await);
    let mut made = Vec::new();
    for (number, (place, step)) in history.iter().enumerate() {
        let event = draw(step, number, &made);
        if matches!(place, Where::Here | Where::Everywhere) {
            here.take(&[&event]).await;
        }
        if matches!(place, Where::There | Where::Everywhere) {
            there.take(&[&event]).await;
        }
        made.push(event);
    }
    let report = here.sync(&there.url, Direction::Both).await;
    assert_eq!(here.served_ids().await, there.served_ids().await, "{report:?}");
    assert!(report.moved_all(Direction::Both), "{report:?}");
    let again = here.sync(&there.url, Direction::Both).await;
    assert_eq!((again.have, again.need, again.moved()), (0, 0, 0), "{report:?} {again:?}");
}

#[test]
fn any_two_converge_in_one_synchronisation() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let config = Config { cases: 60, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let histories = vec((place(), step()), 0..60);
    runner
        .run(&histories, |history| {
            runtime.block_on(check(&history));
            Ok(())
        })
        .unwrap();
}
