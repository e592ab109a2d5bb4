//! A set of trees against the same set in memory.

use std::ops::ControlFlow;

use event::{Draft, Event, Filter, Keys, Kind, Pubkey, Timestamp};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::sample::{Index, select, subsequence};
use reconcile::{Bound, Item, Set, SortedVec};
use store::{EventStore, Hidden, HiddenAuthors, Private, Tombstone, Viewer};

use super::TreeSet;
use crate::Options;
use crate::env::Lmdb;
use crate::summary::tree_spec;
use crate::{LmdbError, LmdbStore};

/// None of them replaces another.
const KINDS: [u16; 5] = [1, 4, 7, 1059, 9735];
/// Neighbours, and both sides of the boundaries of nodes.
const TIMES: [u64; 8] = [0, 15, 16, 17, (1 << 28) - 1, 1 << 28, (1 << 40) - 2, (1 << 40) - 1];

/// Events of one author, kind and second.
#[derive(Clone, Debug)]
struct Crowd {
    author: u8,
    kind: u16,
    at: u64,
    party: Option<u8>,
    count: usize,
}

fn crowd() -> impl Strategy<Value = Crowd> {
    // More than 64 in a second stand in a node of their own.
    let count = proptest::prop_oneof![6 => 1..4usize, 1 => 60..70usize, 1 => 100..140usize];
    (1..4u8, select(&KINDS[..]), select(&TIMES[..]), of(1..4u8), count)
        .prop_map(|(author, kind, at, party, count)| Crowd { author, kind, at, party, count })
}

fn filter() -> impl Strategy<Value = Filter> {
    let kinds = of(subsequence([&KINDS[..], &[30_000]].concat(), 0..=4));
    (kinds, of(select(&TIMES[..])), of(select(&TIMES[..]))).prop_map(|(kinds, since, until)| {
        Filter {
            kinds: kinds.map(|kinds| kinds.into_iter().map(Kind::new).collect()),
            since: since.map(Timestamp::from_secs),
            until: until.map(Timestamp::from_secs),
            ..Filter::default()
        }
    })
}

fn viewer() -> impl Strategy<Value = Viewer> {
    let of = pubkeys().prop_map(|keys| Private::Of(keys.into_iter().map(pubkey).collect()));
    let private = proptest::prop_oneof![1 => Just(Private::All), 3 => of];
    let hidden = select(vec![Hidden::Shown, Hidden::Withheld, Hidden::Withheld]);
    (private, hidden).prop_map(|(private, hidden)| Viewer { private, hidden })
}

fn pubkeys() -> impl Strategy<Value = Vec<u8>> {
    subsequence(vec![1, 2, 3], 0..=3)
}

fn keys(number: u8) -> Keys {
    Keys::from_secret([number; 32]).unwrap()
}

fn pubkey(number: u8) -> Pubkey {
    keys(number).pubkey()
}

fn draw(crowd: &Crowd) -> Vec<Event> {
    let keys = keys(crowd.author);
    let party = crowd.party.map(|party| vec!["p".to_owned(), pubkey(party).to_string()]);
    let draft = |number: usize| Draft {
        created_at: Timestamp::from_secs(crowd.at),
        kind: Kind::new(crowd.kind),
        tags: party.iter().cloned().collect(),
        content: number.to_string(),
    };
    (0..crowd.count).map(|number| keys.sign(&draft(number))).collect()
}

fn item(event: &Event) -> Item {
    Item { created_at: event.as_ref().created_at(), id: event.as_ref().id() }
}

/// Stores the events but for some; returns those that are left.
fn store(
    options: &Options,
    crowds: &[Crowd],
    removed: &[Index],
    hidden: &HiddenAuthors,
) -> Vec<Event> {
    let mut events: Vec<Event> = crowds.iter().flat_map(draw).collect();
    let store = LmdbStore::open(options.clone(), vec![]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        store.save(events.clone()).await.unwrap();
        let removed: Vec<_> = removed
            .iter()
            .filter(|_| !events.is_empty())
            .map(|index| index.get(&events).as_ref().id())
            .collect();
        store.delete(&removed, Tombstone::Forget).await.unwrap();
        hidden.keep(&store).await.unwrap();
        events.retain(|event| !removed.contains(&event.as_ref().id()));
    });
    events
}

/// All a set can be asked must be answered as the same set in memory does.
fn compare(set: &TreeSet<'_, '_>, plain: &SortedVec, times: &[u64]) -> Result<(), LmdbError> {
    let items = plain.as_slice();
    for rank in 0..=items.len() as u64 {
        assert_eq!(set.select(rank)?, plain.select(rank).unwrap(), "rank {rank}");
    }
    let at = |secs: &u64| Bound::new(Timestamp::from_secs(*secs), &[]).unwrap();
    let mut bounds: Vec<Bound> = times.iter().map(at).collect();
    bounds.extend(items.iter().step_by(7).map(|item| Bound::Before(*item)));
    bounds.extend([Bound::ZERO, Bound::Infinity]);
    for bound in &bounds {
        assert_eq!(set.below(bound)?, plain.below(bound).unwrap(), "{bound:?}");
    }
    for pair in bounds.windows(2) {
        let (lower, upper) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
        for most in [3, usize::MAX] {
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            set.items(&lower, &upper, &mut |item| gather(&mut found, item, most))?;
            let Ok(()) = plain.items(&lower, &upper, &mut |item| gather(&mut expected, item, most));
            assert_eq!(found, expected, "{lower:?} {upper:?}");
        }
    }
    Ok(())
}

fn gather(found: &mut Vec<Item>, item: Item, most: usize) -> ControlFlow<()> {
    found.push(item);
    if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn is_the_set_of_what_a_query_serves(
        crowds in vec(crowd(), 0..12),
        removed in vec(any::<Index>(), 0..20),
        hidden in pubkeys(),
        asked in vec((filter(), viewer()), 6),
    ) {
        let dir = tempfile::TempDir::new_in(crate::summary::tests::memory()).unwrap();
        let options = Options::new(dir.path());
        let hidden = HiddenAuthors::new(hidden.into_iter().map(pubkey));
        let events = store(&options, &crowds, &removed, &hidden);
        let lmdb = Lmdb::open(options).unwrap();
        lmdb.read(|txn| {
            for (filter, viewer) in &asked {
                let is_served = |event: &&Event| {
                    filter.matches(event.as_ref()) && viewer.may_see(event.as_ref(), &hidden)
                };
                let plain: SortedVec = events.iter().filter(is_served).map(item).collect();
                match tree_spec(&lmdb, txn, filter, viewer)? {
                    Some(spec) => compare(&TreeSet::new(&lmdb.tables, txn, &spec)?, &plain, &TIMES)?,
                    None => assert!(filter.is_empty(), "{filter:?}"),
                }
            }
            Ok(())
        }).unwrap();
    }
}
