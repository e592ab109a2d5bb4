//! From a filter to the index runs that answer it.

use event::{EventId, Filter, Timestamp};

use crate::tables::{Table, Tables};

/// More index runs than this are not opened for one filter where a coarser index does.
const MAX_SCANS: usize = 4096;

/// How a filter is answered.
pub(crate) enum Plan {
    /// Nothing can match.
    Nothing,
    /// By looking ids up.
    Ids(Vec<EventId>),
    /// By one of several ways to scan: the narrowest is found by looking.
    Scans(Vec<Vec<Scan>>),
}

/// A run of an index, newest first.
#[derive(Clone)]
pub(crate) struct Scan {
    pub(crate) table: Table,
    pub(crate) layout: Layout,
    pub(crate) prefix: Box<[u8]>,
}

/// How the keys of an index end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// With a posting.
    Posting,
    /// With `!created_at 5 ‖ id 32`; the value is the serial.
    Item,
    /// With `kind 2 ‖ posting`: a run for each kind.
    KindPosting,
}

impl Plan {
    pub(crate) fn for_filter(filter: &Filter, tables: &Tables) -> Self {
        // Keys hold no time beyond the largest, so such a bound would come to mean the largest.
        if filter.is_empty() || filter.since.is_some_and(|since| since > Timestamp::MAX) {
            return Self::Nothing;
        }
        if let Some(ids) = &filter.ids {
            return Self::Ids(ids.clone());
        }
        let mut ways = Vec::new();
        let hash_key = tables.hash_key;
        let fewest = filter.tags.iter().min_by_key(|(_, values)| values.len());
        if let Some((&letter, values)) = fewest {
            let prefixes = values.iter().map(|value| Box::from(hash_key.tag(letter, value)));
            ways.push(scans(tables.by_tag, Layout::Posting, prefixes));
        }
        match (&filter.authors, &filter.kinds) {
            (Some(authors), Some(kinds))
                if authors.len().saturating_mul(kinds.len()) <= MAX_SCANS =>
            {
                let pairs =
                    authors.iter().flat_map(|author| kinds.iter().map(move |&kind| (author, kind)));
                let prefixes =
                    pairs.map(|(author, kind)| Box::from(hash_key.author_kind(author, kind)));
                ways.push(scans(tables.by_author_kind, Layout::Posting, prefixes));
            }
            (Some(authors), _) => {
                let prefixes = authors.iter().map(|author| Box::from(hash_key.author(author)));
                ways.push(scans(tables.by_author_kind, Layout::KindPosting, prefixes));
            }
            (None, Some(kinds)) if ways.is_empty() => {
                let prefixes = kinds.iter().map(|kind| Box::from(kind.as_u16().to_be_bytes()));
                ways.push(scans(tables.by_kind, Layout::Item, prefixes));
            }
            (None, None) if ways.is_empty() => {
                ways.push(scans(tables.by_time, Layout::Item, std::iter::once(Box::default())));
            }
            (None, _) => {}
        }
        Self::Scans(ways)
    }

    /// Whether what the scans find is what the filter asks for, kinds aside.
    pub(crate) fn is_exact(filter: &Filter) -> bool {
        let indexed = filter.tags.len() + usize::from(filter.authors.is_some());
        indexed <= 1 && filter.ids.is_none() && filter.search.is_none()
    }
}

fn scans(table: Table, layout: Layout, prefixes: impl Iterator<Item = Box<[u8]>>) -> Vec<Scan> {
    let mut scans: Vec<Scan> = prefixes.map(|prefix| Scan { table, layout, prefix }).collect();
    scans.sort_unstable_by(|a, b| a.prefix.cmp(&b.prefix));
    scans.dedup_by(|a, b| a.prefix == b.prefix);
    scans
}
