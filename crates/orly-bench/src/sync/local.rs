//! The local set: a file's events as a relay holds them after storing all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use anyhow::Context;
use event::{Event, EventRef, Filter, Kind, KindClass, Pubkey};
use reconcile::{Item, SortedVec};

use crate::sample::Lines;

/// What a replaceable event is known by.
type Address = (Kind, Pubkey, Box<str>);

/// Reads the file and keeps what matches the filter and is not replaced.
pub(super) fn load(path: &Path, filter: &Filter) -> anyhow::Result<SortedVec> {
    let mut lines = Lines::open(path, 0, None)?;
    let mut held = Held::default();
    let mut line = Vec::new();
    while lines.next_into(&mut line)? {
        let text = str::from_utf8(&line).context("a line of the file is not UTF-8")?;
        let event = Event::from_json(text).with_context(|| format!("line {text:.120}"))?;
        held.add(event.as_ref(), filter);
    }
    Ok(held.regular.into_iter().chain(held.latest.into_values().flatten()).collect())
}

#[derive(Default)]
struct Held {
    regular: Vec<Item>,
    /// The newest of each address, whether the filter wants it or not.
    latest: HashMap<Address, Newest>,
}

#[derive(Clone, Copy)]
struct Newest {
    item: Item,
    is_wanted: bool,
}

impl Held {
    fn add(&mut self, event: EventRef<'_>, filter: &Filter) {
        let item = Item { created_at: event.created_at(), id: event.id() };
        let newest = Newest { item, is_wanted: filter.matches(event) };
        let identifier = match event.kind().class() {
            KindClass::Regular => return self.regular.extend(newest),
            KindClass::Ephemeral => return,
            KindClass::Replaceable => "",
            KindClass::Addressable => event.d_tag(),
        };
        match self.latest.entry((event.kind(), event.pubkey(), identifier.into())) {
            Entry::Vacant(vacant) => {
                vacant.insert(newest);
            }
            Entry::Occupied(mut held) if newest.supersedes(held.get()) => {
                held.insert(newest);
            }
            Entry::Occupied(_) => {}
        }
    }
}

impl Newest {
    /// The later one wins, of two at the same second the one with the lower id (NIP-01).
    fn supersedes(&self, other: &Self) -> bool {
        let (new, old) = (&self.item, &other.item);
        new.created_at > old.created_at || (new.created_at == old.created_at && new.id < old.id)
    }
}

/// The item, if it is wanted.
impl IntoIterator for Newest {
    type Item = Item;
    type IntoIter = std::option::IntoIter<Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.is_wanted.then_some(self.item).into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn line(id: u8, created_at: u64, kind: u16, d: &str) -> String {
        let (id, pubkey, sig) = (format!("{id:064x}"), "ab".repeat(32), "cd".repeat(64));
        format!(
            r#"{{"id":"{id}","pubkey":"{pubkey}","created_at":{created_at},"kind":{kind},"tags":[["d","{d}"]],"content":"","sig":"{sig}"}}"#
        )
    }

    fn load_ids(lines: &[String], filter: &str) -> Vec<u8> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
        let set = load(file.path(), &filter.parse().unwrap()).unwrap();
        set.as_slice().iter().map(|item| item.id.as_bytes()[31]).collect()
    }

    #[test]
    fn replaced_and_ephemeral_events_are_left_out() {
        let lines = [
            line(1, 10, 0, ""),
            line(2, 20, 0, ""),
            line(3, 5, 0, ""),
            line(4, 20, 30023, "a"),
            line(5, 20, 30023, "b"),
            line(7, 30, 20001, ""),
            line(9, 40, 1, ""),
            line(8, 41, 1, ""),
        ];
        assert_eq!(load_ids(&lines, "{}"), [2, 4, 5, 9, 8]);
    }

    #[test]
    fn older_version_within_the_filter_stays_replaced() {
        let lines = [line(1, 10, 0, ""), line(2, 20, 0, "")];
        assert_eq!(load_ids(&lines, r#"{"until":15}"#), [0_u8; 0]);
    }
}
