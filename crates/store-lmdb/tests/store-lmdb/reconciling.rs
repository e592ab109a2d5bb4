//! Reconciling by the trees finds what reconciling a set in memory finds, at any frame size limit.

use std::collections::BTreeSet;

use event::{Event, EventId, Filter, Keys, Kind, Timestamp};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::sample::{select, subsequence};
use reconcile::{FrameSizeLimit, Initiator, Item, Responder, SortedVec};
use store::conformance::{ALICE, BOB, event};
use store::{EventStore, Query, ReconcileSet, ReconcileStore, Rows, Viewer};
use store_lmdb::{LmdbStore, Options};

use crate::lmdb::{open, scratch};

const MAX_ROUNDS: u32 = 10_000;
const MAX_RECORDS: u64 = 100_000;
/// Replaceable, regular, private and addressable ones.
const KINDS: [u16; 6] = [0, 1, 7, 4, 1059, 30_023];

/// Events of one author, kind and second.
#[derive(Clone, Debug)]
struct Crowd {
    author: usize,
    kind: u16,
    at: u64,
    count: usize,
}

fn crowd() -> impl Strategy<Value = Crowd> {
    let count = proptest::prop_oneof![4 => 1..5usize, 1 => 60..150usize];
    (0..2usize, select(&KINDS[..]), 1000..1010_u64, count)
        .prop_map(|(author, kind, at, count)| Crowd { author, kind, at, count })
}

fn query() -> impl Strategy<Value = Query> {
    let kinds = of(subsequence(KINDS.to_vec(), 1..=4));
    // With authors the set is gathered.
    let authors = proptest::prop_oneof![4 => Just(None), 1 => Just(Some(vec![ALICE.pubkey()]))];
    let viewer = proptest::prop_oneof![
        Just(Viewer::OPERATOR),
        Just(Viewer::of(vec![])),
        Just(Viewer::of(vec![BOB.pubkey()])),
    ];
    let times = (of(1000..1010_u64), of(1000..1010_u64));
    (kinds, authors, times, viewer).prop_map(|(kinds, authors, (since, until), viewer)| {
        let filter = Filter {
            kinds: kinds.map(|kinds| sorted(kinds.into_iter().map(Kind::new).collect())),
            authors,
            since: since.map(Timestamp::from_secs),
            until: until.map(Timestamp::from_secs),
            ..Filter::default()
        };
        Query { filters: vec![filter], viewer }
    })
}

fn limit() -> impl Strategy<Value = FrameSizeLimit> {
    select(vec![0, 4096, 4767, 6000, 60_000]).prop_map(|bytes| FrameSizeLimit::new(bytes).unwrap())
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values
}

fn draw(number: usize, crowd: &Crowd) -> Vec<Event> {
    let author: &Keys = if crowd.author == 0 { &ALICE } else { &BOB };
    let party = BOB.pubkey().to_string();
    let draw = |at: usize| {
        let word = format!("{number} {at}");
        let d = format!("{}", at % 40);
        let tags: &[&[&str]] =
            if at.is_multiple_of(2) { &[&["d", &d], &["p", &party]] } else { &[&["d", &d]] };
        event(author, crowd.kind, crowd.at, tags, &word)
    };
    (0..crowd.count).map(draw).collect()
}

async fn served(store: &LmdbStore, query: &Query) -> Vec<Item> {
    let mut rows = store.query(query.clone());
    let mut items = Vec::new();
    let rows: &mut dyn Rows = rows.as_mut();
    while let Some(batch) = rows.next().await.unwrap() {
        items.extend(
            batch.iter().map(|(_, event)| Item { created_at: event.created_at(), id: event.id() }),
        );
    }
    items
}

/// What an initiator finds out: ids it has alone, ids it lacks.
type Found = (BTreeSet<EventId>, BTreeSet<EventId>);

/// The set of the store asks a set in memory.
async fn ask(set: &dyn ReconcileSet, peer: &SortedVec, limits: [FrameSizeLimit; 2]) -> Found {
    let (mut initiator, mut message) = set.open(limits[0], MAX_ROUNDS).await.unwrap();
    let mut found = Found::default();
    loop {
        let answer = Responder::new(limits[1]).answer(peer, &message).unwrap();
        let step;
        (initiator, step) = set.step(initiator, answer.message).await.unwrap();
        found.0.extend(step.have);
        found.1.extend(step.need);
        let Some(next) = step.next else { return found };
        message = next;
    }
}

/// A set in memory asks that of the store.
async fn answer(set: &dyn ReconcileSet, peer: &SortedVec, limits: [FrameSizeLimit; 2]) -> Found {
    let (mut initiator, mut message) = Initiator::open(peer, limits[0], MAX_ROUNDS).unwrap();
    let mut found = Found::default();
    loop {
        let answer = set.answer(message, limits[1]).await.unwrap();
        let step = initiator.step(peer, &answer.message).unwrap();
        found.0.extend(step.have);
        found.1.extend(step.need);
        let Some(next) = step.next else { return found };
        message = next;
    }
}

/// A neighbour of the set: some items less, some more.
fn neighbour(items: &[Item], changes: &[(bool, u64, [u8; 4])]) -> SortedVec {
    let mut neighbour = items.to_vec();
    for (is_less, at, bytes) in changes {
        if *is_less && !neighbour.is_empty() {
            let place = u32::from_be_bytes(*bytes) as usize % neighbour.len();
            neighbour.swap_remove(place);
        } else {
            let mut id = [0; 32];
            id[..4].copy_from_slice(bytes);
            neighbour.push(Item { created_at: Timestamp::from_secs(*at), id: EventId::new(id) });
        }
    }
    neighbour.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn finds_the_differences_as_either_side(
        crowds in vec(crowd(), 0..12),
        asked in vec((query(), vec((any::<bool>(), 1000..1010_u64, any::<[u8; 4]>()), 0..120), limit(), limit()), 4),
    ) {
        let dir = scratch();
        let store = open(dir.path());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let events = crowds.iter().enumerate().flat_map(|(number, crowd)| draw(number, crowd)).collect();
            store.save(events).await.unwrap();
            for (query, changes, own, other) in &asked {
                let items = served(&store, query).await;
                let set = store.reconcile_set(query.clone(), MAX_RECORDS).await.unwrap();
                assert_eq!(set.count().await.unwrap(), items.len() as u64, "{query:?}");
                let peer = neighbour(&items, changes);
                let ids = |items: &[Item]| items.iter().map(|item| item.id).collect::<BTreeSet<_>>();
                let (ours, theirs) = (ids(&items), ids(peer.as_slice()));
                let only_ours: BTreeSet<EventId> = ours.difference(&theirs).copied().collect();
                let only_theirs: BTreeSet<EventId> = theirs.difference(&ours).copied().collect();
                let limits = [*own, *other];
                assert_eq!(ask(&*set, &peer, limits).await, (only_ours.clone(), only_theirs.clone()), "{query:?}");
                assert_eq!(answer(&*set, &peer, limits).await, (only_theirs, only_ours), "{query:?}");
            }
        });
    }
}

#[tokio::test]
async fn gathered_sets_have_a_bound_together() {
    let dir = scratch();
    let options = Options { gathered_items: 150, ..Options::new(dir.path()) };
    let store = LmdbStore::open(options, vec![]).unwrap();
    let crowd = Crowd { author: 0, kind: 1, at: 1000, count: 100 };
    store.save(draw(0, &crowd)).await.unwrap();
    let ask = |until: u64| {
        let mut filter = Filter { authors: Some(vec![ALICE.pubkey()]), ..Filter::default() };
        filter.until = Some(Timestamp::from_secs(until));
        store.reconcile_set(Query::by_operator(filter), MAX_RECORDS)
    };
    let first = ask(5000).await.unwrap();
    let shared = ask(5000).await.unwrap();
    assert_eq!(shared.count().await.unwrap(), 100);
    let refused = ask(5001).await.err().unwrap().to_string();
    assert!(refused.contains("too many large sets"), "{refused}");
    drop((first, shared));
    assert_eq!(ask(5001).await.unwrap().count().await.unwrap(), 100);
}
