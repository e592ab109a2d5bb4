//! Whether the tables agree with each other.

use event::has_valid_id;
use heed::RoTxn;

use crate::LmdbError;
use crate::entries::Entries;
use crate::heads::{self, Head, Heads};
use crate::keys::serial_from;
use crate::summary::{LEAF, Node, Path, TreeId, children, kinds, summarise};
use crate::tables::{Table, Tables};

/// How many findings are spelled out.
const SHOWN: usize = 20;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// How many events were looked at.
    pub events: u64,
    /// How many index entries were looked at.
    pub entries: u64,
    /// How many nodes of summary trees were looked at.
    pub nodes: u64,
    /// How many things are wrong.
    pub faults: u64,
    /// The first of them.
    pub examples: Vec<String>,
}

impl CheckReport {
    fn fault(&mut self, what: String) {
        self.faults += 1;
        if self.examples.len() < SHOWN {
            self.examples.push(what);
        }
    }
}

/// Checks that each event is what its id says and has all its entries, that there are no other
/// entries, and that the trees are what the indexes make them.
pub(crate) fn check(tables: &Tables, txn: &RoTxn<'_>) -> Result<CheckReport, LmdbError> {
    let mut report = CheckReport::default();
    let mut expected = Expected::default();
    let mut heads = Heads::new(tables, txn);
    for entry in tables.events.iter(txn)? {
        let serial = serial_from(entry?.0);
        let Some(event) = tables.event(txn, serial)? else { continue };
        report.events += 1;
        if !has_valid_id(event) {
            report.fault(format!("event {serial}: its id is not its hash"));
        }
        if heads.get(serial)? != Some(Head::of(event)) {
            report.fault(format!("event {serial} ({}): its head is another", event.id()));
        }
        let mut entries = Entries::new(tables.hash_key);
        entries.add(event, serial);
        let mut missing = Vec::new();
        entries.for_each(tables, |table, key, value| match table.get(txn, key) {
            Ok(Some(found)) if found == value => {}
            _ => {
                missing.push(format!("event {serial} ({}): an index entry is missing", event.id()))
            }
        });
        missing.into_iter().for_each(|what| report.fault(what));
        expected.add(&entries);
    }
    for (name, table, count) in expected.counts(tables) {
        let found = table.len(txn)?;
        report.entries += found;
        if found != count {
            report.fault(format!("{name}: {found} entries, {count} expected"));
        }
    }
    let heads = heads::count(tables, txn)?;
    if heads != report.events {
        report.fault(format!("heads: {heads} found, {} expected", report.events));
    }
    check_trees(tables, txn, &mut report)?;
    Ok(report)
}

/// How many entries each index should have.
#[derive(Default)]
struct Expected([u64; 7]);

impl Expected {
    fn indexes(tables: &Tables) -> [(&'static str, Table); 7] {
        [
            ("by_id", tables.by_id),
            ("by_time", tables.by_time),
            ("by_kind", tables.by_kind),
            ("by_author_kind", tables.by_author_kind),
            ("by_tag", tables.by_tag),
            ("by_address", tables.by_address),
            ("by_expiration", tables.by_expiration),
        ]
    }

    fn add(&mut self, entries: &Entries) {
        for (count, found) in self.0.iter_mut().zip(entries.lengths()) {
            *count += found;
        }
    }

    fn counts(&self, tables: &Tables) -> impl Iterator<Item = (&'static str, Table, u64)> {
        Self::indexes(tables)
            .into_iter()
            .zip(self.0)
            .map(|((name, table), count)| (name, table, count))
    }
}

/// Compares the trees with the indexes.
pub(crate) fn check_trees(
    tables: &Tables,
    txn: &RoTxn<'_>,
    report: &mut CheckReport,
) -> Result<(), LmdbError> {
    let mut trees = vec![TreeId::All];
    trees.extend(kinds(tables, txn)?.into_iter().map(TreeId::Kind));
    for tree in trees {
        let items = tree.items(tables, txn, &[])?;
        check_node(tables, txn, tree, &[], &items, report)?;
    }
    let found = tables.summary.len(txn)?;
    if found != report.nodes {
        report.fault(format!("summary: {found} nodes, {} expected", report.nodes));
    }
    Ok(())
}

fn check_node(
    tables: &Tables,
    txn: &RoTxn<'_>,
    tree: TreeId,
    prefix: &[u8],
    items: &[Path],
    report: &mut CheckReport,
) -> Result<(), LmdbError> {
    if items.is_empty() {
        return Ok(());
    }
    report.nodes += 1;
    let mut expected = Node::default();
    for (slot, child, below) in children(prefix, items) {
        let summary = summarise(below);
        expected.set_child(slot, summary);
        if summary.count() > LEAF {
            check_node(tables, txn, tree, &child, below, report)?;
        }
    }
    if Node::load(tables, txn, tree, prefix)? != expected {
        report.fault(format!("summary of {tree:?}: node {prefix:?} does not match its items"));
    }
    Ok(())
}
