//! A set made of trees: the union of some, less others, between two bounds, and a few items more.

use std::ops::Bound::Included;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;

use event::{EventId, Timestamp};
use heed::RoTxn;
use reconcile::{Bound, Item, Selected, Set, SortedVec, Summary};

use super::node::{Node, Path, TreeId, child_prefix, path_from_key};
use super::read::{Found, Reader, has_node, nth};
use super::spec::TreeSpec;
use super::update::summarise;
use crate::LmdbError;
use crate::keys::newest_first;
use crate::tables::Tables;

/// How many items of a second are read at once.
const PAGE: usize = 512;

/// The set on a snapshot.
pub(crate) struct TreeSet<'a, 't> {
    reader: Reader<'a, 't>,
    /// The trees that are not empty, and whether their items are taken away.
    trees: Vec<(TreeId, bool)>,
    spec: &'a TreeSpec,
    /// Items of the trees that are not in the set, for their authors are hidden.
    hidden: SortedVec,
    /// What lies below the set's lower end.
    base: Summary,
}

/// A tree on the way down: a node, or the few items of a place that has none.
enum Place {
    Node(Rc<Node>),
    Items(Rc<Vec<Path>>, Range<usize>),
}

/// One tree of a set on the way down.
struct Descent {
    tree: TreeId,
    is_minus: bool,
    place: Place,
}

impl<'a, 't> TreeSet<'a, 't> {
    pub(crate) fn new(
        tables: &'a Tables,
        txn: &'a RoTxn<'t>,
        spec: &'a TreeSpec,
    ) -> Result<Self, LmdbError> {
        let reader = Reader::new(tables, txn);
        let plus = spec.plus.iter().map(|&tree| (tree, false));
        let mut trees = Vec::new();
        for (tree, is_minus) in plus.chain(spec.minus.iter().map(|&tree| (tree, true))) {
            if !reader.node(tree, &[])?.0.is_empty() {
                trees.push((tree, is_minus));
            }
        }
        let hidden = spec.hidden(tables, txn)?;
        let mut set = Self { reader, trees, spec, hidden, base: Summary::EMPTY };
        set.base = set.unbounded(&spec.lower)?;
        Ok(set)
    }

    /// What lies below a bound, whatever the ends of the set are.
    fn unbounded(&self, bound: &Bound) -> Result<Summary, LmdbError> {
        let (Ok(mut sum), Ok(hidden)) = (self.spec.extra.below(bound), self.hidden.below(bound));
        for &(tree, is_minus) in &self.trees {
            let below = self.reader.below(tree, bound)?;
            if is_minus { sum -= below } else { sum += below }
        }
        sum -= hidden;
        Ok(sum)
    }

    /// The item with `rank` items below it in the unbounded set.
    fn find(&self, rank: u64) -> Result<Option<Found>, LmdbError> {
        let mut extra = self.spec.extra.as_slice();
        let mut hidden = self.hidden.as_slice();
        if let (&[(tree, false)], [], []) = (&self.trees[..], extra, hidden) {
            return self.reader.select(tree, rank);
        }
        let mut trees = self.descents()?;
        let mut sum = Summary::EMPTY;
        let mut prefix = Vec::new();
        while trees.iter().any(|descent| matches!(descent.place, Place::Node(_))) {
            let depth = prefix.len();
            let mut found = None;
            for slot in slots(&trees, extra, depth) {
                let child = child_sum(&trees, extra, hidden, depth, slot);
                if rank < sum.count() + child.count() {
                    found = Some(slot);
                    break;
                }
                sum += child;
            }
            let Some(slot) = found else { return Ok(None) };
            prefix = child_prefix(&prefix, slot);
            for descent in &mut trees {
                descent.enter(&self.reader, depth, slot, &prefix)?;
            }
            extra = part(extra, depth, slot);
            hidden = part(hidden, depth, slot);
        }
        Ok(nth(&net_items(trees, extra, hidden), rank, sum))
    }

    fn descents(&self) -> Result<Vec<Descent>, LmdbError> {
        let descend = |&(tree, is_minus): &(TreeId, bool)| {
            Ok(Descent { tree, is_minus, place: Place::Node(self.reader.node(tree, &[])?) })
        };
        self.trees.iter().map(descend).collect()
    }
}

impl Descent {
    fn enter(
        &mut self,
        reader: &Reader<'_, '_>,
        depth: usize,
        slot: u16,
        prefix: &[u8],
    ) -> Result<(), LmdbError> {
        self.place = match &self.place {
            Place::Items(items, range) => {
                let inside = in_slot(&items[range.clone()], |path| path.slot(depth), slot);
                Place::Items(Rc::clone(items), range.start + inside.start..range.start + inside.end)
            }
            Place::Node(node) => match node.child(slot).count() {
                0 => Place::Items(Rc::default(), 0..0),
                count if has_node(count, depth) => Place::Node(reader.node(self.tree, prefix)?),
                _ => {
                    let leaf = reader.leaf(self.tree, prefix)?;
                    let all = 0..leaf.len();
                    Place::Items(leaf, all)
                }
            },
        };
        Ok(())
    }

    fn slots(&self, depth: usize, show: &mut Vec<u16>) {
        match &self.place {
            Place::Node(node) => show.extend(node.0.iter().map(|(slot, _)| *slot)),
            Place::Items(items, range) => {
                show.extend(items[range.clone()].iter().map(|path| path.slot(depth)))
            }
        }
    }

    fn child(&self, depth: usize, slot: u16) -> Summary {
        match &self.place {
            Place::Node(node) => node.child(slot),
            Place::Items(items, range) => {
                let items = &items[range.clone()];
                summarise(&items[in_slot(items, |path| path.slot(depth), slot)])
            }
        }
    }
}

/// Where in a sorted run the items of one slot are.
fn in_slot<T>(items: &[T], slot_of: impl Fn(&T) -> u16, slot: u16) -> Range<usize> {
    items.partition_point(|item| slot_of(item) < slot)
        ..items.partition_point(|item| slot_of(item) <= slot)
}

/// The slots in which there is something, in order.
fn slots(trees: &[Descent], extra: &[Item], depth: usize) -> Vec<u16> {
    let mut slots: Vec<u16> = extra.iter().map(|item| Path::of(item).slot(depth)).collect();
    trees
        .iter()
        .filter(|descent| !descent.is_minus)
        .for_each(|descent| descent.slots(depth, &mut slots));
    slots.sort_unstable();
    slots.dedup();
    slots
}

/// The items of one slot.
fn part(items: &[Item], depth: usize, slot: u16) -> &[Item] {
    &items[in_slot(items, |item| Path::of(item).slot(depth), slot)]
}

fn child_sum(
    trees: &[Descent],
    extra: &[Item],
    hidden: &[Item],
    depth: usize,
    slot: u16,
) -> Summary {
    let sum = |items| {
        let mut sum = Summary::EMPTY;
        part(items, depth, slot).iter().for_each(|item| sum.insert(&item.id));
        sum
    };
    let mut total = sum(extra);
    for descent in trees {
        let sum = descent.child(depth, slot);
        if descent.is_minus { total -= sum } else { total += sum }
    }
    total -= sum(hidden);
    total
}

/// The items that are left where no tree has a node, in order.
fn net_items(trees: Vec<Descent>, extra: &[Item], hidden: &[Item]) -> Vec<Path> {
    let mut items = Vec::new();
    let mut less: Vec<Path> = hidden.iter().map(Path::of).collect();
    for descent in trees {
        if let Place::Items(found, range) = descent.place {
            let found = &found[range];
            if descent.is_minus {
                less.extend_from_slice(found)
            } else {
                items.extend_from_slice(found)
            }
        }
    }
    less.sort_unstable();
    items.retain(|path| less.binary_search(path).is_err());
    // Of what is taken away, these are in the set all the same.
    items.extend(extra.iter().map(Path::of));
    items.sort_unstable();
    items
}

impl Set for TreeSet<'_, '_> {
    type Error = LmdbError;

    fn below(&self, bound: &Bound) -> Result<Summary, LmdbError> {
        let bound = (*bound).clamp(self.spec.lower, self.spec.upper);
        Ok(self.unbounded(&bound)? - self.base)
    }

    fn select(&self, rank: u64) -> Result<Option<Selected>, LmdbError> {
        let Some((previous, item, sum)) = self.find(self.base.count() + rank)? else {
            return Ok(None);
        };
        if !self.spec.upper.is_above(&item) {
            return Ok(None);
        }
        let previous = match (rank, previous) {
            (0, _) => None,
            (_, None) => self.find(self.base.count() + rank - 1)?.map(|(_, item, _)| item),
            (_, found) => found,
        };
        Ok(Some(Selected { previous, item, below: sum - self.base }))
    }

    fn items(
        &self,
        lower: &Bound,
        upper: &Bound,
        visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Result<(), LmdbError> {
        let upper = (*upper).min(self.spec.upper);
        let mut lower = (*lower).max(self.spec.lower);
        while let Bound::Before(from) = lower
            && let Some(second) = self.next_second(from)?
        {
            let from = from.max(start_of(second));
            let (items, end) = self.page(from)?;
            for &item in &items {
                if !upper.is_above(&item) || visit(item).is_break() {
                    return Ok(());
                }
            }
            lower = Bound::Before(end.and_then(|end| after(&end)).unwrap_or(start_of(second + 1)));
        }
        Ok(())
    }
}

impl TreeSet<'_, '_> {
    /// The first second from that of `from` on in which there is an item.
    fn next_second(&self, from: Item) -> Result<Option<u64>, LmdbError> {
        if from.created_at > Timestamp::MAX {
            return Ok(None);
        }
        let extra = self.spec.extra.as_slice();
        let at = extra.partition_point(|item| item.created_at < from.created_at);
        let mut next = extra.get(at).map(|item| item.created_at);
        for (tree, _) in self.trees.iter().filter(|(_, is_minus)| !is_minus) {
            let (table, prefix) = tree.index(self.reader.tables);
            let key = [&prefix[..], &newest_first(from.created_at), &[0xff; 32]].concat();
            let Some((found, _)) = table.get_lower_than_or_equal_to(self.reader.txn, &key)? else {
                continue;
            };
            if let Some(rest) = found.strip_prefix(&prefix[..])
                && let Some(path) = path_from_key(rest)
            {
                let created_at = path.item().created_at;
                next = Some(next.map_or(created_at, |next| next.min(created_at)));
            }
        }
        Ok(next.map(Timestamp::as_secs))
    }

    /// Items of the second of `from`, from there on and in order; the last place read, if there are more.
    fn page(&self, from: Item) -> Result<(Vec<Item>, Option<Item>), LmdbError> {
        let in_second = |items: &'_ [Item]| -> Vec<Item> {
            let items = &items[items.partition_point(|item| *item < from)..];
            items.iter().take_while(|item| item.created_at == from.created_at).copied().collect()
        };
        let mut items = Vec::new();
        let mut less = in_second(self.hidden.as_slice());
        let mut end = None;
        for &(tree, is_minus) in &self.trees {
            let (table, prefix) = tree.index(self.reader.tables);
            let first = [&prefix[..], &newest_first(from.created_at), from.id.as_bytes()].concat();
            let last = [&prefix[..], &newest_first(from.created_at), &[0xff; 32]].concat();
            let range = (Included(&first[..]), Included(&last[..]));
            let found = if is_minus { &mut less } else { &mut items };
            let before = found.len();
            for entry in table.range(self.reader.txn, &range)? {
                let path =
                    path_from_key(entry?.0).ok_or(LmdbError::Damaged("an index of items"))?;
                found.push(path.item());
                if found.len() - before == PAGE {
                    // Other trees may have read further: beyond this item the page has holes.
                    end = Some(end.map_or(path.item(), |end: Item| end.min(path.item())));
                    break;
                }
            }
        }
        less.sort_unstable();
        items.retain(|item| less.binary_search(item).is_err());
        // Of what is taken away, these are in the set all the same.
        items.extend(in_second(self.spec.extra.as_slice()));
        items.retain(|item| end.is_none_or(|end| *item <= end));
        items.sort_unstable();
        Ok((items, end))
    }
}

/// The lowest item of a second.
fn start_of(secs: u64) -> Item {
    Item { created_at: Timestamp::from_secs(secs), id: EventId::new([0; 32]) }
}

/// The lowest item above this one in its second.
fn after(item: &Item) -> Option<Item> {
    let mut id = *item.id.as_bytes();
    let last = id.iter().rposition(|byte| *byte < 0xff)?;
    id[last] += 1;
    id[last + 1..].fill(0);
    Some(Item { id: EventId::new(id), ..*item })
}

#[cfg(test)]
mod tests;
