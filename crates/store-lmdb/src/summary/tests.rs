//! A tree against the plain sum, after any insertions and removals.

use std::collections::BTreeSet;

use event::{EventId, Kind, Timestamp};
use heed::RwTxn;
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::sample::{Index, select};
use reconcile::{Bound, Item, Summary};

use super::read::Reader;
use super::update::Change;
use super::{Changes, Path, TreeId};
use crate::Options;
use crate::check::{CheckReport, check_trees};
use crate::env::Lmdb;
use crate::keys::{join, newest_first};
use crate::tables::Tables;

/// Neighbours, equals, and both sides of the boundaries of nodes.
const TIMES: [u64; 8] = [0, 15, 16, 4095, (1 << 28) - 1, 1 << 28, (1 << 40) - 2, (1 << 40) - 1];
const KINDS: [u16; 3] = [0, 1, u16::MAX];

type Member = (Kind, Item);

#[derive(Clone, Debug)]
enum Act {
    Insert(Vec<Member>),
    /// Members that stand side by side.
    Remove {
        from: Index,
        count: usize,
    },
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn below_is_the_sum_of_what_lies_below(
        transactions in vec(vec(act(), 1..4), 1..8),
        bounds in vec(bound(), 20),
        picks in vec(any::<Index>(), 20),
    ) {
        let dir = tempfile::TempDir::new_in(memory()).unwrap();
        let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
        let mut members = BTreeSet::new();
        for acts in &transactions {
            // A transaction may start anew, so it works on a copy.
            members = lmdb.write(|wtxn| Ok(commit(&lmdb.tables, wtxn, members.clone(), acts))).unwrap();
        }
        let members: Vec<Member> = members.into_iter().collect();
        let at_members = picks.iter().filter(|_| !members.is_empty());
        let at_members = at_members.map(|pick| Bound::Before(pick.get(&members).1));
        let bounds: Vec<Bound> = bounds.into_iter().chain(at_members).collect();
        lmdb.read(|txn| {
            let reader = Reader::new(&lmdb.tables, txn);
            for bound in &bounds {
                for tree in KINDS.map(|kind| TreeId::Kind(Kind::new(kind))).into_iter().chain([TreeId::All]) {
                    assert_eq!(reader.below(tree, bound)?, plain_sum(&members, tree, bound));
                }
            }
            let mut report = CheckReport::default();
            check_trees(&lmdb.tables, txn, &mut report)?;
            assert_eq!(report.faults, 0, "{report:?}");
            Ok(())
        }).unwrap();
    }
}

fn act() -> impl Strategy<Value = Act> {
    let remove = (any::<Index>(), 0..400usize);
    proptest::prop_oneof![
        2 => vec(member(), 1..10).prop_map(Act::Insert),
        2 => crowd().prop_map(Act::Insert),
        2 => remove.prop_map(|(from, count)| Act::Remove { from, count }),
    ]
}

fn member() -> impl Strategy<Value = Member> {
    (kind(), item())
}

/// Many members of one second, with ids that part late.
fn crowd() -> impl Strategy<Value = Vec<Member>> {
    (kind(), item(), 1..250u16, 0..31usize).prop_map(|(kind, item, count, at)| {
        let member = |n: u16| {
            let mut id = *item.id.as_bytes();
            id[at..at + 2].copy_from_slice(&n.to_be_bytes());
            (kind, Item { id: EventId::new(id), ..item })
        };
        (0..count).map(member).collect()
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    select(&KINDS[..]).prop_map(Kind::new)
}

fn item() -> impl Strategy<Value = Item> {
    let id = proptest::prop_oneof![any::<[u8; 32]>(), select(vec![[0; 32], [0xff; 32]])];
    (select(&TIMES[..]), id).prop_map(|(secs, id)| Item {
        created_at: Timestamp::from_secs(secs),
        id: EventId::new(id),
    })
}

fn bound() -> impl Strategy<Value = Bound> {
    let far = any::<u64>().prop_map(|secs| Bound::new(Timestamp::from_secs(secs), &[]).unwrap());
    proptest::prop_oneof![
        4 => item().prop_map(Bound::Before),
        1 => far,
        1 => select(vec![Bound::ZERO, Bound::Infinity]),
    ]
}

/// Does what a transaction of the writer does: the indexes first, then the trees.
fn commit(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    mut members: BTreeSet<Member>,
    acts: &[Act],
) -> BTreeSet<Member> {
    let mut changes = Changes::default();
    for act in acts {
        match act {
            Act::Insert(new) => {
                for member in new {
                    // An id stands for one event, so for one kind and time.
                    if members.iter().all(|(_, item)| item.id != member.1.id) {
                        members.insert(*member);
                        index(tables, wtxn, *member, Change::Insert);
                        changes.add(member.0, Path::of(&member.1), Change::Insert);
                    }
                }
            }
            Act::Remove { from, count } if !members.is_empty() => {
                let at = from.index(members.len());
                let gone: Vec<Member> = members.iter().skip(at).take(*count).copied().collect();
                for member in gone {
                    members.remove(&member);
                    index(tables, wtxn, member, Change::Remove);
                    changes.add(member.0, Path::of(&member.1), Change::Remove);
                }
            }
            Act::Remove { .. } => {}
        }
    }
    changes.apply(tables, wtxn).unwrap();
    members
}

fn index(tables: &Tables, wtxn: &mut RwTxn<'_>, (kind, item): Member, change: Change) {
    let by_time: [u8; 37] = join(&[&newest_first(item.created_at), item.id.as_bytes()]);
    let by_kind: [u8; 39] = join(&[&kind.as_u16().to_be_bytes(), &by_time]);
    for (table, key) in [(tables.by_time, &by_time[..]), (tables.by_kind, &by_kind)] {
        match change {
            Change::Insert => table.put(wtxn, key, &[0; 5]).unwrap(),
            Change::Remove => assert!(table.delete(wtxn, key).unwrap()),
        }
    }
}

fn plain_sum(members: &[Member], tree: TreeId, bound: &Bound) -> Summary {
    let is_in = |kind: Kind| tree == TreeId::All || tree == TreeId::Kind(kind);
    let inside = members.iter().filter(|(kind, item)| is_in(*kind) && bound.is_above(item));
    inside.fold(Summary::EMPTY, |sum, (_, item)| sum + Summary::from(&item.id))
}

pub(super) fn memory() -> std::path::PathBuf {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() { memory.into() } else { std::env::temp_dir() }
}
