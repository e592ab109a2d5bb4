//! The version of tables and keys, and bringing older databases up to date.
//!
//! Schema 2 has heads, one index of authors in place of two, and hashes that depend on a secret.

use std::ops::Bound;
use std::time::{Duration, Instant};

use event::EventRef;
use heed::{Env, RoTxn, RwTxn, WithoutTls};
use store::Serial;

use crate::LmdbError;
use crate::entries::Entries;
use crate::env::{Lmdb, next_serial};
use crate::keys::{HashKey, SerialBytes, serial_bytes, serial_from};
use crate::options::{Access, Options};
use crate::tables::{DISUSED, META, Table, Tables};

/// The schema this version writes. A change of tables or keys raises it and adds a migration. The name that a service
/// gives to its files (`service_store`) changes with it, so that older readers beside it ask the service instead.
pub(crate) const SCHEMA: u32 = 2;
pub(crate) const SCHEMA_KEY: &[u8] = b"schema";
const DATABASE_ID_KEY: &[u8] = b"database_id";
const HASH_KEY_KEY: &[u8] = b"hash_key";
/// While events are indexed anew: the last one that was.
const INDEXED_KEY: &[u8] = b"indexed";

/// How much is indexed anew in one transaction. What is done is kept if the process ends.
const STEP_EVENTS: usize = 50_000;
const STEP_BYTES: usize = 64 << 20;
/// How often progress is told.
const TELL_INTERVAL: Duration = Duration::from_secs(5);

/// The schema of a database, and whether all its events are indexed by it; `None` if it is new.
pub(crate) fn found(env: &Env<WithoutTls>) -> Result<Option<(u32, bool)>, LmdbError> {
    let Some(meta) = Tables::one(env, META)? else { return Ok(None) };
    let txn = env.read_txn()?;
    let Some(schema) = meta.get(&txn, SCHEMA_KEY)? else { return Ok(None) };
    Ok(Some((number(schema)?, meta.get(&txn, INDEXED_KEY)?.is_none())))
}

/// Refuses what cannot be opened this way, before anything is written.
pub(crate) fn check(found: Option<(u32, bool)>, options: &Options) -> Result<(), LmdbError> {
    let is_reader = options.access == Access::Read;
    match found {
        Some((found, _)) if found > SCHEMA => Err(LmdbError::NewerSchema { found, known: SCHEMA }),
        Some((found, is_complete)) if is_reader && (found < SCHEMA || !is_complete) => {
            Err(LmdbError::OlderSchema { path: options.path.clone() })
        }
        None if is_reader => Err(LmdbError::Absent(options.path.clone())),
        _ => Ok(()),
    }
}

/// Refuses a database that a newer version brought up to date while it was open here: what that version means by
/// its tables is not known.
pub(crate) fn check_running(tables: &Tables, txn: &RoTxn<'_>) -> Result<(), LmdbError> {
    match tables.meta.get(txn, SCHEMA_KEY)?.map(number).transpose()? {
        Some(found) if found > SCHEMA => Err(LmdbError::NewerSchema { found, known: SCHEMA }),
        _ => Ok(()),
    }
}

/// Makes a new database one of this schema, and an older one as well; returns the secret of its hashes.
pub(crate) fn prepare(lmdb: &Lmdb) -> Result<HashKey, LmdbError> {
    let meta = lmdb.tables.meta;
    if lmdb.options.access != Access::Read {
        let disused = lmdb.still(|env| Ok(Tables::one(env, DISUSED)?))?;
        let is_current =
            lmdb.read(|txn| Ok(meta.get(txn, SCHEMA_KEY)? == Some(&SCHEMA.to_be_bytes()[..])))?;
        if !is_current {
            lmdb.write(|wtxn| begin(&lmdb.tables, disused, wtxn))?;
        }
    }
    let hash_key = lmdb.read(|txn| {
        let key = meta.get(txn, HASH_KEY_KEY)?.and_then(|key| key.try_into().ok());
        key.map(HashKey::new).ok_or(LmdbError::Damaged("secret of the hashes"))
    })?;
    if lmdb.options.access != Access::Read {
        index_anew(lmdb, Tables { hash_key, ..lmdb.tables })?;
    }
    Ok(hash_key)
}

/// Schema and id of an open database.
pub(crate) fn describe(tables: &Tables, txn: &RoTxn<'_>) -> Result<(u32, Vec<u8>), LmdbError> {
    let schema = tables.meta.get(txn, SCHEMA_KEY)?.ok_or(LmdbError::Damaged("schema version"))?;
    let id = tables.meta.get(txn, DATABASE_ID_KEY)?.unwrap_or_default();
    Ok((number(schema)?, id.to_vec()))
}

/// Turns a new or an older database into one of this schema, as far as its events are not concerned.
fn begin(tables: &Tables, disused: Option<Table>, wtxn: &mut RwTxn<'_>) -> Result<(), LmdbError> {
    let meta = tables.meta;
    match meta.get(wtxn, SCHEMA_KEY)?.map(number).transpose()? {
        // Another process was faster.
        Some(SCHEMA) => return Ok(()),
        Some(_) => {
            tables.by_author_kind.clear(wtxn)?;
            tables.by_tag.clear(wtxn)?;
            disused.map_or(Ok(()), |table| table.clear(wtxn))?;
            meta.put(wtxn, INDEXED_KEY, &serial_bytes(Serial::new(0)))?;
        }
        None => meta.put(wtxn, DATABASE_ID_KEY, &rand::random::<[u8; 16]>())?,
    }
    meta.put(wtxn, HASH_KEY_KEY, &rand::random::<[u8; 16]>())?;
    meta.put(wtxn, SCHEMA_KEY, &SCHEMA.to_be_bytes())?;
    Ok(())
}

/// Indexes events that an older version stored, from where it was left.
fn index_anew(lmdb: &Lmdb, tables: Tables) -> Result<(), LmdbError> {
    let mut told = Instant::now();
    while let Some(indexed) = lmdb.read(|txn| indexed(&tables, txn))? {
        if indexed.as_u64() == 0 || told.elapsed() >= TELL_INTERVAL {
            told = Instant::now();
            let last = lmdb.read(|txn| next_serial(&tables, txn))? - 1;
            tracing::info!(done = indexed.as_u64(), of = last, "index events for this version");
        }
        lmdb.write(|wtxn| index_step(&tables, wtxn))?;
    }
    Ok(())
}

/// Indexes the next events; the mark is gone when there are no more.
fn index_step(tables: &Tables, wtxn: &mut RwTxn<'_>) -> Result<(), LmdbError> {
    let Some(indexed) = indexed(tables, wtxn)? else { return Ok(()) };
    let after: SerialBytes = serial_bytes(indexed);
    let mut entries = Entries::new(tables.hash_key);
    let (mut last, mut events, mut bytes) = (None, 0, 0);
    for entry in tables.events.range(wtxn, &(Bound::Excluded(&after[..]), Bound::Unbounded))? {
        let (key, value) = entry?;
        let event =
            EventRef::from_bytes(value).map_err(|_| LmdbError::Damaged("a stored event"))?;
        entries.add(event, serial_from(key));
        last = Some(serial_from(key));
        (events, bytes) = (events + 1, bytes + value.len());
        if events == STEP_EVENTS || bytes >= STEP_BYTES {
            break;
        }
    }
    match last {
        Some(last) => {
            entries.put_since_1(tables, wtxn)?;
            tables.meta.put(wtxn, INDEXED_KEY, &serial_bytes(last))?;
        }
        None => drop(tables.meta.delete(wtxn, INDEXED_KEY)?),
    }
    Ok(())
}

/// The last event that is indexed, if not all are.
fn indexed(tables: &Tables, txn: &RoTxn<'_>) -> Result<Option<Serial>, LmdbError> {
    Ok(tables.meta.get(txn, INDEXED_KEY)?.map(serial_from))
}

fn number(schema: &[u8]) -> Result<u32, LmdbError> {
    schema.try_into().map(u32::from_be_bytes).map_err(|_| LmdbError::Damaged("schema version"))
}

#[cfg(test)]
mod tests;
