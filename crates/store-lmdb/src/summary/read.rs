//! Reading trees on a snapshot; what one message comes back to is read once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use heed::RoTxn;
use reconcile::{Bound, Item, Summary};

use super::node::{LEAF, Node, Path, TreeId, child_depth, child_prefix};
use crate::LmdbError;
use crate::tables::Tables;

/// How many nodes, and how many leaves, are kept.
const KEPT: usize = 256;

/// The trees of a snapshot.
pub(super) struct Reader<'a, 't> {
    pub(super) tables: &'a Tables,
    pub(super) txn: &'a RoTxn<'t>,
    nodes: Kept<Node>,
    leaves: Kept<Vec<Path>>,
}

type Kept<T> = RefCell<HashMap<Vec<u8>, Rc<T>>>;

impl<'a, 't> Reader<'a, 't> {
    pub(super) fn new(tables: &'a Tables, txn: &'a RoTxn<'t>) -> Self {
        Self { tables, txn, nodes: RefCell::default(), leaves: RefCell::default() }
    }

    /// The node at a place.
    pub(super) fn node(&self, tree: TreeId, prefix: &[u8]) -> Result<Rc<Node>, LmdbError> {
        keep(&self.nodes, tree.key(prefix), || Node::load(self.tables, self.txn, tree, prefix))
    }

    /// The items of a place that has no node.
    pub(super) fn leaf(&self, tree: TreeId, prefix: &[u8]) -> Result<Rc<Vec<Path>>, LmdbError> {
        keep(&self.leaves, tree.key(prefix), || tree.items(self.tables, self.txn, prefix))
    }

    /// Count and sum of a tree's items below `bound`.
    pub(super) fn below(&self, tree: TreeId, bound: &Bound) -> Result<Summary, LmdbError> {
        let end = match bound {
            Bound::Before(item) if item.created_at <= event::Timestamp::MAX => Some(Path::of(item)),
            Bound::Before(_) | Bound::Infinity => None,
        };
        let mut sum = Summary::EMPTY;
        let mut prefix = Vec::new();
        while prefix.len() < Path::LEN {
            let node = self.node(tree, &prefix)?;
            let Some(end) = &end else {
                return Ok(node.0.iter().fold(sum, |sum, (_, child)| sum + *child));
            };
            let slot = end.slot(prefix.len());
            sum = node
                .0
                .iter()
                .take_while(|(at, _)| *at < slot)
                .fold(sum, |sum, (_, child)| sum + *child);
            let count = node.child(slot).count();
            let has_node = has_node(count, prefix.len());
            prefix = child_prefix(&prefix, slot);
            if !has_node {
                if count > 0 {
                    let leaf = self.leaf(tree, &prefix)?;
                    leaf.iter()
                        .take_while(|path| *path < end)
                        .for_each(|path| sum.insert(&path.item().id));
                }
                break;
            }
        }
        Ok(sum)
    }

    /// The item with `rank` of a tree's items below it.
    pub(super) fn select(&self, tree: TreeId, rank: u64) -> Result<Option<Found>, LmdbError> {
        let mut sum = Summary::EMPTY;
        let mut prefix = Vec::new();
        loop {
            let node = self.node(tree, &prefix)?;
            let mut found = None;
            for &(slot, child) in &node.0 {
                if rank < sum.count() + child.count() {
                    found = Some((slot, child.count()));
                    break;
                }
                sum += child;
            }
            let Some((slot, count)) = found else { return Ok(None) };
            let has_node = has_node(count, prefix.len());
            prefix = child_prefix(&prefix, slot);
            if !has_node {
                return Ok(nth(&self.leaf(tree, &prefix)?, rank, sum));
            }
        }
    }
}

/// The item with `rank` items below it, the one before it if that is at hand, and what lies below it.
pub(super) type Found = (Option<Item>, Item, Summary);

/// Looks among `items`, below which lies `sum`.
pub(super) fn nth(items: &[Path], rank: u64, mut sum: Summary) -> Option<Found> {
    let at = usize::try_from(rank.checked_sub(sum.count())?).ok()?;
    let item = items.get(at)?.item();
    let before = &items[..at];
    before.iter().for_each(|path| sum.insert(&path.item().id));
    Some((before.last().map(Path::item), item, sum))
}

/// Whether a child that covers `count` items, of a node at `depth`, has a node of its own.
pub(super) const fn has_node(count: u64, depth: usize) -> bool {
    count > LEAF && child_depth(depth) < Path::LEN
}

fn keep<T>(
    kept: &Kept<T>,
    key: Vec<u8>,
    load: impl FnOnce() -> Result<T, LmdbError>,
) -> Result<Rc<T>, LmdbError> {
    if let Some(found) = kept.borrow().get(&key) {
        return Ok(Rc::clone(found));
    }
    let loaded = Rc::new(load()?);
    let mut kept = kept.borrow_mut();
    if kept.len() >= KEPT {
        kept.clear();
    }
    kept.insert(key, Rc::clone(&loaded));
    Ok(loaded)
}
