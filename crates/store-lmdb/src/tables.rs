//! The tables and what is in them.

use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvOpenOptions, RoTxn, RwTxn, WithoutTls};

use crate::keys::HashKey;

/// A table: bytes to bytes, ordered by key.
pub(crate) type Table = Database<'static, Bytes, Bytes>;

/// All tables, and the secret that hashes in them depend on. Postings are `!created_at 5 ‖ id[..4] ‖ serial 5`, items `!created_at 5 ‖ id 32`.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    /// Known once the schema is.
    pub(crate) hash_key: HashKey,
    /// name → value: schema, database id, secret of the hashes, next serial
    pub(crate) meta: Table,
    /// serial 5 → packed event
    pub(crate) events: Table,
    /// block of serials 5 → heads of their events
    pub(crate) heads: Table,
    /// id 32 → serial 5
    pub(crate) by_id: Table,
    /// item → serial 5
    pub(crate) by_time: Table,
    /// kind 2 ‖ item → serial 5
    pub(crate) by_kind: Table,
    /// hash of pubkey 8 ‖ kind 2 ‖ posting → ()
    pub(crate) by_author_kind: Table,
    /// letter 1 ‖ hash of value 8 ‖ posting → ()
    pub(crate) by_tag: Table,
    /// hash of address 16 → serial 5
    pub(crate) by_address: Table,
    /// expiration 5 ‖ serial 5 → ()
    pub(crate) by_expiration: Table,
    /// id 32 ‖ pubkey of who may not publish it again 32 (zeros: nobody may) → ()
    pub(crate) deleted_ids: Table,
    /// hash of address 16 → up to which created_at it is deleted 5
    pub(crate) deleted_addresses: Table,
    /// pubkey 32 → up to which created_at it vanished 5
    pub(crate) vanished: Table,
    /// tree ‖ depth 1 ‖ prefix → summaries of the children
    pub(crate) summary: Table,
    /// key → value
    pub(crate) markers: Table,
}

const NAMES: [&str; 15] = [
    META,
    "events",
    "heads",
    "by_id",
    "by_time",
    "by_kind",
    "by_author_kind",
    "by_tag",
    "by_address",
    "by_expiration",
    "deleted_ids",
    "deleted_addresses",
    "vanished",
    "summary",
    "markers",
];

/// The table that says which schema the others have.
pub(crate) const META: &str = "meta";
/// A table of schema 1, empty since.
pub(crate) const DISUSED: &str = "by_author";

impl Tables {
    /// How many tables an environment must have room for.
    pub(crate) fn set_limit(options: &mut EnvOpenOptions<WithoutTls>) {
        options.max_dbs(u32::try_from(NAMES.len() + 1).expect("a handful"));
    }

    /// Opens one table; `None` if it is not there.
    pub(crate) fn one(env: &Env<WithoutTls>, name: &str) -> Result<Option<Table>, heed::Error> {
        let table = env.open_databases_and_commit(env.read_txn()?, |opener, rtxn| {
            let table = opener.open_database::<Bytes, Bytes>(rtxn, Some(name))?;
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(table))
        })?;
        Ok(table.unwrap_commit())
    }

    /// Opens all tables, making those that are not there.
    pub(crate) fn create(env: &Env<WithoutTls>, wtxn: RwTxn<'_>) -> Result<Self, heed::Error> {
        let tables = env.create_databases_and_commit(wtxn, |opener, wtxn| {
            let mut tables = Vec::with_capacity(NAMES.len());
            for name in NAMES {
                tables.push(opener.create_database::<Bytes, Bytes>(wtxn, Some(name))?);
            }
            let tables: [Database<'_, Bytes, Bytes>; 15] =
                tables.try_into().unwrap_or_else(|_| unreachable!("one for each name"));
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(tables))
        })?;
        Ok(Self::from_array(tables.unwrap_commit()))
    }

    /// Opens all tables; `None` if one is not there.
    pub(crate) fn open(
        env: &Env<WithoutTls>,
        rtxn: RoTxn<'_, WithoutTls>,
    ) -> Result<Option<Self>, heed::Error> {
        let tables = env.open_databases_and_commit(rtxn, |opener, rtxn| {
            let mut tables = Vec::with_capacity(NAMES.len());
            for name in NAMES {
                tables.extend(opener.open_database::<Bytes, Bytes>(rtxn, Some(name))?);
            }
            let tables: Option<[Database<'_, Bytes, Bytes>; 15]> = tables.try_into().ok();
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(tables))
        })?;
        Ok(tables.unwrap_commit().map(Self::from_array))
    }

    fn from_array(tables: [Table; 15]) -> Self {
        let [
            meta,
            events,
            heads,
            by_id,
            by_time,
            by_kind,
            by_author_kind,
            by_tag,
            by_address,
            by_expiration,
            deleted_ids,
            deleted_addresses,
            vanished,
            summary,
            markers,
        ] = tables;
        Self {
            hash_key: HashKey::default(),
            meta,
            events,
            heads,
            by_id,
            by_time,
            by_kind,
            by_author_kind,
            by_tag,
            by_address,
            by_expiration,
            deleted_ids,
            deleted_addresses,
            vanished,
            summary,
            markers,
        }
    }
}
