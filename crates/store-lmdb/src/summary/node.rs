//! Paths and nodes.

use std::ops::Bound;

use event::{EventId, Timestamp};
use heed::RoTxn;
use reconcile::{Item, Summary};

use crate::LmdbError;
use crate::keys::{created_at_from, join, newest_first, oldest_first};
use crate::tables::{Table, Tables};

/// A child that covers more items than this has a node of its own.
pub(crate) const LEAF: u64 = 64;

/// How many half-bytes of a path the root's children share.
const ROOT_FAN: usize = 3;

/// Which set a tree summarises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum TreeId {
    /// All events.
    All,
    /// The events of a kind.
    Kind(event::Kind),
}

/// The place of an item in every tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path([u8; 37]);

/// The start of a path, one half-byte a byte: the place of a node. The root's is empty.
pub(crate) type Prefix = [u8];

impl Path {
    /// How many half-bytes a path has.
    pub(crate) const LEN: usize = 74;

    pub(crate) fn new(created_at: Timestamp, id: &EventId) -> Self {
        Self(join(&[&oldest_first(created_at), id.as_bytes()]))
    }

    pub(crate) fn of(item: &Item) -> Self {
        Self::new(item.created_at, &item.id)
    }

    pub(crate) fn item(&self) -> Item {
        let (time, id) = self.0.split_at(5);
        let time = time.iter().fold(0, |secs, &byte| secs << 8 | u64::from(byte));
        Item {
            created_at: Timestamp::from_secs(time),
            id: EventId::try_from(id).expect("a path ends with an id"),
        }
    }

    fn half_byte(&self, at: usize) -> u8 {
        let byte = self.0[at / 2];
        if at.is_multiple_of(2) { byte >> 4 } else { byte & 0xf }
    }

    /// The child to take below a node at `depth`.
    pub(crate) fn slot(&self, depth: usize) -> u16 {
        if depth == 0 {
            u16::from(self.0[0]) << 4 | u16::from(self.half_byte(2))
        } else {
            u16::from(self.half_byte(depth))
        }
    }
}

/// How deep the children of a node at `depth` are.
pub(crate) const fn child_depth(depth: usize) -> usize {
    if depth == 0 { ROOT_FAN } else { depth + 1 }
}

/// The place of a child.
pub(crate) fn child_prefix(prefix: &Prefix, slot: u16) -> Vec<u8> {
    let [high, low] = slot.to_be_bytes();
    let mut child = prefix.to_vec();
    if prefix.is_empty() {
        child.extend([high, low >> 4, low & 0xf]);
    } else {
        child.push(low);
    }
    child
}

impl TreeId {
    /// `tree 3 ‖ prefix`: a subtree is a run of keys.
    pub(crate) fn key(self, prefix: &Prefix) -> Vec<u8> {
        let mut key = match self {
            Self::All => vec![0, 0, 0],
            Self::Kind(kind) => {
                let [high, low] = kind.as_u16().to_be_bytes();
                vec![1, high, low]
            }
        };
        key.extend_from_slice(prefix);
        key
    }

    /// The index that lists the tree's items, and what its keys start with.
    pub(crate) fn index(self, tables: &Tables) -> (Table, Vec<u8>) {
        match self {
            Self::All => (tables.by_time, Vec::new()),
            Self::Kind(kind) => (tables.by_kind, kind.as_u16().to_be_bytes().to_vec()),
        }
    }

    /// Reads the items below a place, in order.
    pub(crate) fn items(
        self,
        tables: &Tables,
        txn: &RoTxn<'_>,
        prefix: &Prefix,
    ) -> Result<Vec<Path>, LmdbError> {
        let (table, start) = self.index(tables);
        let bytes = |filler: u8| {
            let mut halves = [filler; Path::LEN];
            halves[..prefix.len()].copy_from_slice(prefix);
            let mut bytes = [0; 37];
            for (byte, pair) in bytes.iter_mut().zip(halves.as_chunks::<2>().0) {
                *byte = pair[0] << 4 | pair[1];
            }
            Path(bytes).item()
        };
        let (first, last) = (bytes(0), bytes(0xf));
        let from = [&start[..], &newest_first(last.created_at), first.id.as_bytes()].concat();
        let to = [&start[..], &newest_first(first.created_at), last.id.as_bytes()].concat();
        let mut paths = Vec::new();
        for entry in table.range(txn, &(Bound::Included(&from[..]), Bound::Included(&to[..])))? {
            let (key, _) = entry?;
            paths.push(path_from_key(key).ok_or(LmdbError::Damaged("an index of items"))?);
        }
        paths.sort_unstable();
        Ok(paths)
    }
}

/// Reads the item at the end of an index key.
pub(crate) fn path_from_key(key: &[u8]) -> Option<Path> {
    let item: &[u8; 37] = key.last_chunk()?;
    let (time, id) = item.split_at(5);
    Some(Path(join(&[&oldest_first(created_at_from(time)), id])))
}

/// The summaries of a node's children, by slot, empty ones left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node(pub(crate) Vec<(u16, Summary)>);

impl Node {
    const ENTRY: usize = 2 + Summary::LEN;

    pub(crate) fn load(
        tables: &Tables,
        txn: &RoTxn<'_>,
        tree: TreeId,
        prefix: &Prefix,
    ) -> Result<Self, LmdbError> {
        let bytes = tables.summary.get(txn, &tree.key(prefix))?;
        Ok(bytes.map(Self::from_bytes).unwrap_or_default())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let entries = bytes.as_chunks::<{ Self::ENTRY }>().0.iter().map(|entry| {
            let ([high, low], summary) =
                entry.split_first_chunk().expect("an entry starts with its slot");
            let summary = summary.try_into().expect("and ends with its summary");
            (u16::from_be_bytes([*high, *low]), Summary::from_bytes(summary))
        });
        Self(entries.collect())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * Self::ENTRY);
        for (slot, summary) in &self.0 {
            bytes.extend_from_slice(&slot.to_be_bytes());
            bytes.extend_from_slice(&summary.to_bytes());
        }
        bytes
    }

    pub(crate) fn child(&self, slot: u16) -> Summary {
        let found = self.0.binary_search_by_key(&slot, |(slot, _)| *slot);
        found.map_or(Summary::EMPTY, |at| self.0[at].1)
    }

    pub(crate) fn set_child(&mut self, slot: u16, summary: Summary) {
        match (self.0.binary_search_by_key(&slot, |(slot, _)| *slot), summary.count()) {
            (Ok(at), 0) => drop(self.0.remove(at)),
            (Ok(at), _) => self.0[at].1 = summary,
            (Err(_), 0) => {}
            (Err(at), _) => self.0.insert(at, (slot, summary)),
        }
    }
}
