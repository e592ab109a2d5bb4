//! Reading a tree: what lies below a bound, by one descent.

use heed::RoTxn;
use reconcile::{Bound, Summary};

use super::node::{LEAF, Node, Path, TreeId, child_depth, child_prefix};
use crate::LmdbError;
use crate::tables::Tables;

/// Count and sum of a tree's items below `bound`.
pub(crate) fn below(
    tables: &Tables,
    txn: &RoTxn<'_>,
    tree: TreeId,
    bound: &Bound,
) -> Result<Summary, LmdbError> {
    let end = match bound {
        Bound::Before(item) if item.created_at <= event::Timestamp::MAX => Some(Path::of(item)),
        Bound::Before(_) | Bound::Infinity => None,
    };
    let mut sum = Summary::EMPTY;
    let mut prefix = Vec::new();
    while prefix.len() < Path::LEN {
        let node = Node::load(tables, txn, tree, &prefix)?;
        let Some(end) = &end else {
            return Ok(node.0.iter().fold(sum, |sum, (_, child)| sum + *child));
        };
        let slot = end.slot(prefix.len());
        sum = node
            .0
            .iter()
            .take_while(|(at, _)| *at < slot)
            .fold(sum, |sum, (_, child)| sum + *child);
        let child = node.child(slot);
        let place = child_prefix(&prefix, slot);
        if child.count() <= LEAF || child_depth(prefix.len()) >= Path::LEN {
            if child.count() > 0 {
                let items = tree.items(tables, txn, &place)?;
                items
                    .iter()
                    .take_while(|path| *path < end)
                    .for_each(|path| sum.insert(&path.item().id));
            }
            break;
        }
        prefix = place;
    }
    Ok(sum)
}
