//! Keeping the trees: all changes of a transaction at once, after the indexes were written.

use std::ops::Bound;

use event::EventRef;
use heed::RwTxn;
use reconcile::Summary;

use super::node::{LEAF, Node, Path, Prefix, TreeId, child_prefix};
use crate::LmdbError;
use crate::tables::Tables;

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Insert,
    Remove,
}

/// What a transaction changes, for all trees.
#[derive(Default)]
pub(crate) struct Changes(Vec<(TreeId, Path, Change)>);

impl Changes {
    pub(crate) fn push(&mut self, change: Change, event: EventRef<'_>) {
        self.add(event.kind(), Path::new(event.created_at(), &event.id()), change);
    }

    pub(super) fn add(&mut self, kind: event::Kind, path: Path, change: Change) {
        self.0.push((TreeId::All, path, change));
        self.0.push((TreeId::Kind(kind), path, change));
    }

    /// Brings the trees up to date with the indexes.
    pub(crate) fn apply(mut self, tables: &Tables, wtxn: &mut RwTxn<'_>) -> Result<(), LmdbError> {
        self.0.sort_unstable_by_key(|&(tree, path, _)| (tree, path));
        for changes in self.0.chunk_by(|a, b| a.0 == b.0) {
            update(tables, wtxn, changes[0].0, &[], changes)?;
        }
        Ok(())
    }
}

/// Updates the node at `prefix` and what is below, by changes that all lie below it.
fn update(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    tree: TreeId,
    prefix: &Prefix,
    changes: &[(TreeId, Path, Change)],
) -> Result<(), LmdbError> {
    let depth = prefix.len();
    let mut node = Node::load(tables, wtxn, tree, prefix)?;
    for below in changes.chunk_by(|a, b| a.1.slot(depth) == b.1.slot(depth)) {
        let slot = below[0].1.slot(depth);
        let old = node.child(slot);
        let new = below.iter().fold(old, |mut sum, (_, path, change)| {
            match change {
                Change::Insert => sum.insert(&path.item().id),
                Change::Remove => sum.remove(&path.item().id),
            }
            sum
        });
        node.set_child(slot, new);
        let child = child_prefix(prefix, slot);
        match (old.count() > LEAF, new.count() > LEAF) {
            (true, true) => update(tables, wtxn, tree, &child, below)?,
            (false, true) => {
                let items = tree.items(tables, wtxn, &child)?;
                build(tables, wtxn, tree, &child, &items)?;
            }
            (true, false) => drop_below(tables, wtxn, tree, &child)?,
            (false, false) => {}
        }
    }
    store(tables, wtxn, tree, prefix, &node)
}

/// Writes the node at `prefix` and those below from the items it covers, which are in order.
fn build(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    tree: TreeId,
    prefix: &Prefix,
    items: &[Path],
) -> Result<(), LmdbError> {
    let mut node = Node::default();
    for (slot, child, below) in children(prefix, items) {
        let summary = summarise(below);
        node.set_child(slot, summary);
        if summary.count() > LEAF {
            build(tables, wtxn, tree, &child, below)?;
        }
    }
    store(tables, wtxn, tree, prefix, &node)
}

/// Splits the items of a node, which are in order, by child: slot, place and items of each.
pub(crate) fn children<'a>(
    prefix: &'a Prefix,
    items: &'a [Path],
) -> impl Iterator<Item = (u16, Vec<u8>, &'a [Path])> {
    let depth = prefix.len();
    items.chunk_by(move |a, b| a.slot(depth) == b.slot(depth)).map(move |below| {
        let slot = below[0].slot(depth);
        (slot, child_prefix(prefix, slot), below)
    })
}

/// Count and sum of some items.
pub(crate) fn summarise(items: &[Path]) -> Summary {
    let mut summary = Summary::EMPTY;
    items.iter().for_each(|path| summary.insert(&path.item().id));
    summary
}

fn drop_below(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    tree: TreeId,
    prefix: &Prefix,
) -> Result<(), LmdbError> {
    let from = tree.key(prefix);
    // Half-bytes stop at 15, so no key of the subtree reaches this one.
    let to = tree.key(&[prefix, &[16]].concat());
    tables.summary.delete_range(wtxn, &(Bound::Included(&from[..]), Bound::Excluded(&to[..])))?;
    Ok(())
}

fn store(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    tree: TreeId,
    prefix: &Prefix,
    node: &Node,
) -> Result<(), LmdbError> {
    let key = tree.key(prefix);
    if node.0.is_empty() {
        tables.summary.delete(wtxn, &key)?;
    } else {
        tables.summary.put(wtxn, &key, &node.to_bytes())?;
    }
    Ok(())
}

/// The kinds that are stored, found by leaps through the index.
pub(crate) fn kinds(tables: &Tables, txn: &heed::RoTxn<'_>) -> Result<Vec<event::Kind>, LmdbError> {
    let mut kinds = Vec::new();
    let mut next = Some(0u16);
    while let Some(start) = next {
        let found = tables.by_kind.get_greater_than_or_equal_to(txn, &start.to_be_bytes())?;
        let Some(&[high, low]) = found.and_then(|(key, _)| key.first_chunk()) else { break };
        let kind = u16::from_be_bytes([high, low]);
        kinds.push(event::Kind::new(kind));
        next = kind.checked_add(1);
    }
    Ok(kinds)
}
