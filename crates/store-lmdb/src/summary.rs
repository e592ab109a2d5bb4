//! Summary trees: count and sum of the ids of any time range, without reading an event.
//!
//! There is a tree for all events and one for each kind. An item is a path of 74 half-bytes: its
//! `created_at` (10), then its id (64). A node covers the items that share the path to it and holds
//! the [`Summary`] of each child; the root fans out by the first three half-bytes (2^28 s each),
//! every other node by one. A child has a node of its own while it covers more than [`LEAF`] items;
//! smaller ones are read from the index. So a tree is a pure function of its set: the order of
//! insertions and removals leaves no trace, and a check can compute it anew.

mod node;
mod read;
mod set;
mod spec;
#[cfg(test)]
mod tests;
mod update;

pub(crate) use node::{LEAF, Node, Path, TreeId};
pub(crate) use set::TreeSet;
pub(crate) use spec::{TreeSpec, tree_spec};
pub(crate) use update::{Change, Changes, children, kinds, summarise};
