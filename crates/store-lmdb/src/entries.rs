//! Everything the tables hold about events, gathered for a batch and written in order of key:
//! neighbours share a page, so a sorted run touches each page once.

use event::{Address, EventRef};
use heed::RwTxn;
use store::Serial;

use crate::LmdbError;
use crate::heads::{self, Head};
use crate::keys::{
    HashKey, Posting, SerialBytes, address_key, join, newest_first, oldest_first, serial_bytes,
};
use crate::tables::{Table, Tables};

/// Index entries of some events.
pub(crate) struct Entries {
    hash_key: HashKey,
    heads: Vec<(Serial, Option<Head>)>,
    by_id: Vec<([u8; 32], SerialBytes)>,
    by_time: Vec<([u8; 37], SerialBytes)>,
    by_kind: Vec<([u8; 39], SerialBytes)>,
    by_author_kind: Vec<([u8; 24], [u8; 0])>,
    by_tag: Vec<([u8; 23], [u8; 0])>,
    by_address: Vec<([u8; 16], SerialBytes)>,
    by_expiration: Vec<([u8; 10], [u8; 0])>,
}

impl Entries {
    pub(crate) const fn new(hash_key: HashKey) -> Self {
        Self {
            hash_key,
            heads: Vec::new(),
            by_id: Vec::new(),
            by_time: Vec::new(),
            by_kind: Vec::new(),
            by_author_kind: Vec::new(),
            by_tag: Vec::new(),
            by_address: Vec::new(),
            by_expiration: Vec::new(),
        }
    }

    /// Gathers what belongs to one event.
    pub(crate) fn add(&mut self, event: EventRef<'_>, serial: Serial) {
        let (id, pubkey, kind) = (event.id(), event.pubkey(), event.kind());
        let stored = serial_bytes(serial);
        let posting = Posting::of(event, serial).to_bytes();
        let item: [u8; 37] = join(&[&newest_first(event.created_at()), id.as_bytes()]);
        self.heads.push((serial, Some(Head::of(event))));
        self.by_id.push((*id.as_bytes(), stored));
        self.by_time.push((item, stored));
        self.by_kind.push((join(&[&kind.as_u16().to_be_bytes(), &item]), stored));
        let author_kind = self.hash_key.author_kind(&pubkey, kind);
        self.by_author_kind.push((join(&[&author_kind, &posting]), []));
        for (letter, value) in event.tags().indexed() {
            self.by_tag.push((join(&[&self.hash_key.tag(letter, value), &posting]), []));
        }
        if let Some(address) = Address::of(event) {
            self.by_address.push((address_key(&address), stored));
        }
        if let Some(expiration) = event.expiration() {
            self.by_expiration.push((join(&[&oldest_first(expiration), &stored]), []));
        }
    }

    /// Writes all entries.
    pub(crate) fn put(self, tables: &Tables, wtxn: &mut RwTxn<'_>) -> Result<(), LmdbError> {
        heads::write(tables, wtxn, &self.heads)?;
        put(tables.by_id, wtxn, self.by_id)?;
        put(tables.by_time, wtxn, self.by_time)?;
        put(tables.by_kind, wtxn, self.by_kind)?;
        put(tables.by_author_kind, wtxn, self.by_author_kind)?;
        put(tables.by_tag, wtxn, self.by_tag)?;
        put(tables.by_address, wtxn, self.by_address)?;
        put(tables.by_expiration, wtxn, self.by_expiration)
    }

    /// Writes the entries of the tables that schema 2 brought or changed.
    pub(crate) fn put_since_1(
        self,
        tables: &Tables,
        wtxn: &mut RwTxn<'_>,
    ) -> Result<(), LmdbError> {
        heads::write(tables, wtxn, &self.heads)?;
        put(tables.by_author_kind, wtxn, self.by_author_kind)?;
        put(tables.by_tag, wtxn, self.by_tag)
    }

    /// Removes all entries.
    pub(crate) fn delete(self, tables: &Tables, wtxn: &mut RwTxn<'_>) -> Result<(), LmdbError> {
        let gone: Vec<_> = self.heads.iter().map(|(serial, _)| (*serial, None)).collect();
        heads::write(tables, wtxn, &gone)?;
        delete(tables.by_id, wtxn, self.by_id)?;
        delete(tables.by_time, wtxn, self.by_time)?;
        delete(tables.by_kind, wtxn, self.by_kind)?;
        delete(tables.by_author_kind, wtxn, self.by_author_kind)?;
        delete(tables.by_tag, wtxn, self.by_tag)?;
        delete(tables.by_address, wtxn, self.by_address)?;
        delete(tables.by_expiration, wtxn, self.by_expiration)
    }

    /// How many entries there are for each index, in the order they are written.
    pub(crate) fn lengths(&self) -> [u64; 7] {
        [
            self.by_id.len(),
            self.by_time.len(),
            self.by_kind.len(),
            self.by_author_kind.len(),
            distinct(&self.by_tag),
            self.by_address.len(),
            self.by_expiration.len(),
        ]
        .map(|len| len as u64)
    }

    /// Shows every entry as table, key and value.
    pub(crate) fn for_each(&self, tables: &Tables, mut show: impl FnMut(Table, &[u8], &[u8])) {
        fn each<const K: usize, const V: usize>(
            table: Table,
            entries: &[([u8; K], [u8; V])],
            show: &mut impl FnMut(Table, &[u8], &[u8]),
        ) {
            entries.iter().for_each(|(key, value)| show(table, key, value));
        }
        each(tables.by_id, &self.by_id, &mut show);
        each(tables.by_time, &self.by_time, &mut show);
        each(tables.by_kind, &self.by_kind, &mut show);
        each(tables.by_author_kind, &self.by_author_kind, &mut show);
        each(tables.by_tag, &self.by_tag, &mut show);
        each(tables.by_address, &self.by_address, &mut show);
        each(tables.by_expiration, &self.by_expiration, &mut show);
    }
}

fn put<const K: usize, const V: usize>(
    table: Table,
    wtxn: &mut RwTxn<'_>,
    mut entries: Vec<([u8; K], [u8; V])>,
) -> Result<(), LmdbError> {
    entries.sort_unstable();
    for (key, value) in &entries {
        table.put(wtxn, key, value)?;
    }
    Ok(())
}

fn delete<const K: usize, const V: usize>(
    table: Table,
    wtxn: &mut RwTxn<'_>,
    mut entries: Vec<([u8; K], [u8; V])>,
) -> Result<(), LmdbError> {
    entries.sort_unstable();
    for (key, _) in &entries {
        table.delete(wtxn, key)?;
    }
    Ok(())
}

/// A tag that stands twice in an event makes one entry.
fn distinct<const K: usize>(entries: &[([u8; K], [u8; 0])]) -> usize {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.len()
}
