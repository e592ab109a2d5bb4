//! The LMDB environment: opening, versions, growing.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use heed::{Env, EnvFlags, EnvInfo, EnvOpenOptions, RoTxn, RwTxn, WithoutTls};
use parking_lot::RwLock;

use crate::error::is_map_full;
use crate::options::{Access, Options};
use crate::tables::Tables;
use crate::turnstile::Turnstile;
use crate::{LmdbError, hint, keys, schema};

/// The size of the lock file: room for about a thousand readers at once.
const LOCK_FILE_BYTES: usize = 64 << 10;

/// What there is to know about a database beside its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The version of its tables and keys.
    pub schema: u32,
    /// Its id, made when it was made.
    pub database_id: Vec<u8>,
    /// How many bytes it may take before its map grows.
    pub map_bytes: u64,
    /// How many places for readers were taken at once since it was last closed by all.
    pub readers: u32,
    /// How many places for readers there are.
    pub max_readers: u32,
}

/// An open environment and its tables.
pub(crate) struct Lmdb {
    env: Env<WithoutTls>,
    pub(crate) tables: Tables,
    pub(crate) options: Options,
    /// Held for reading by every transaction, for writing while the map changes its size.
    map: RwLock<()>,
    /// Passed by whoever writes.
    turnstile: Turnstile,
}

impl Lmdb {
    pub(crate) fn open(options: Options) -> Result<Self, LmdbError> {
        let path = options.path.clone();
        let failed = |source: heed::Error| LmdbError::Open {
            hint: hint::for_directory(&path, &source),
            path: path.clone(),
            source,
        };
        if options.access == Access::Create {
            std::fs::create_dir_all(&path).map_err(|error| failed(error.into()))?;
            make_lock_file(&path).map_err(|error| failed(error.into()))?;
        } else if !path.join("data.mdb").exists() {
            return Err(LmdbError::Absent(path));
        }
        let env = open_env(&options).map_err(failed)?;
        let found = schema::found(&env)?;
        schema::check(found, &options)?;
        let tables = match (Tables::open(&env, env.read_txn()?)?, options.access) {
            (Some(tables), _) => tables,
            (None, Access::Read) => return Err(LmdbError::Absent(path)),
            (None, Access::Create | Access::Write) => Tables::create(&env, env.write_txn()?)?,
        };
        let turnstile = match options.access {
            Access::Read => Turnstile::default(),
            Access::Create | Access::Write => Turnstile::open(&path),
        };
        let mut lmdb = Self { env, tables, options, map: RwLock::new(()), turnstile };
        lmdb.tables.hash_key = schema::prepare(&lmdb)?;
        Ok(lmdb)
    }

    /// Runs `work` on a snapshot.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&RoTxn<'_, WithoutTls>) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        let mut guard = self.map.read();
        let txn = match self.env.read_txn() {
            Err(heed::Error::Mdb(heed::MdbError::MapResized)) => {
                drop(guard);
                self.resize(0)?;
                guard = self.map.read();
                self.env.read_txn()
            }
            txn => txn,
        }?;
        let result = schema::check_running(&self.tables, &txn).and_then(|()| work(&txn));
        drop((txn, guard));
        result
    }

    /// Runs `work` in a transaction and commits it. Grows the map and starts again when it is full.
    pub(crate) fn write<T>(
        &self,
        mut work: impl FnMut(&mut RwTxn<'_>) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        match self.write_up_to(self.options.limit(), &mut work) {
            Err(LmdbError::Full { .. }) => {
                // What one transaction frees is given out by the next but one.
                self.free(|wtxn| touch(&self.tables, wtxn))?;
                self.write_up_to(self.options.limit(), &mut work)
            }
            result => result,
        }
    }

    /// Does the same with `work` that makes room. To write that down takes some, which a full map
    /// lacks: until it is done the map may be twice as large.
    pub(crate) fn free<T>(
        &self,
        mut work: impl FnMut(&mut RwTxn<'_>) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        let limit = self.options.limit();
        let result = self.write_up_to(limit.saturating_mul(2), &mut work);
        if self.info().map_size > limit {
            self.resize(limit)?;
        }
        result
    }

    fn write_up_to<T>(
        &self,
        limit: usize,
        work: &mut impl FnMut(&mut RwTxn<'_>) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        loop {
            match self.try_write(work) {
                Err(error) if is_map_full(&error) => self.grow(limit)?,
                Err(LmdbError::Lmdb(heed::Error::Mdb(heed::MdbError::MapResized))) => {
                    self.resize(0)?
                }
                result => return result,
            }
        }
    }

    fn try_write<T>(
        &self,
        work: &mut impl FnMut(&mut RwTxn<'_>) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        let _guard = self.map.read();
        let mut wtxn = self.turnstile.pass(|| self.env.write_txn())?;
        schema::check_running(&self.tables, &wtxn)?;
        let value = work(&mut wtxn)?;
        wtxn.commit().map_err(|error| self.explain(error))?;
        Ok(value)
    }

    /// Says so if a commit failed in a way that LMDB does not go on from.
    fn explain(&self, source: heed::Error) -> LmdbError {
        match self.env.read_txn() {
            Err(heed::Error::Mdb(heed::MdbError::Panic)) => {
                LmdbError::Broken { path: self.options.path.clone(), source }
            }
            _ => source.into(),
        }
    }

    fn grow(&self, limit: usize) -> Result<(), LmdbError> {
        let now = self.info().map_size;
        if now >= limit {
            return Err(LmdbError::Full { limit: self.options.limit() });
        }
        let size = now.saturating_mul(2).min(limit);
        tracing::info!(from = now, to = size, "grow the map of the event store");
        self.resize(size)
    }

    fn resize(&self, size: usize) -> Result<(), LmdbError> {
        let _guard = self.map.write();
        // SAFETY: all transactions of this process run under `map.read`, so none is active now.
        #[expect(unsafe_code, reason = "LMDB cannot check that no transaction is active")]
        unsafe {
            self.env.resize(size)?;
        }
        Ok(())
    }

    /// The number of the newest transaction of any process.
    pub(crate) fn last_txn(&self) -> usize {
        self.info().last_txn_id
    }

    /// Runs `work` on the environment while its map keeps its place and size.
    pub(crate) fn still<T>(
        &self,
        work: impl FnOnce(&Env<WithoutTls>) -> Result<T, LmdbError>,
    ) -> Result<T, LmdbError> {
        let _guard = self.map.read();
        work(&self.env)
    }

    /// Looks into the map, which must not move meanwhile.
    fn info(&self) -> EnvInfo {
        let _guard = self.map.read();
        self.env.info()
    }

    pub(crate) fn disk_bytes(&self) -> Result<u64, LmdbError> {
        Ok(self.env.real_disk_size()?)
    }

    pub(crate) fn describe(&self) -> Result<Description, LmdbError> {
        let info = self.info();
        let (schema, database_id) = self.read(|txn| schema::describe(&self.tables, txn))?;
        Ok(Description {
            schema,
            database_id,
            map_bytes: info.map_size as u64,
            readers: info.number_of_readers,
            max_readers: info.maximum_number_of_readers,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.options.path
    }

    /// Frees the reader slots of processes that died.
    pub(crate) fn clear_stale_readers(&self) -> Result<usize, LmdbError> {
        Ok(self.env.clear_stale_readers()?)
    }
}

/// Makes the lock file with all the room it takes. LMDB leaves that to the first who writes to it,
/// through a map, where a full disk would end the process.
fn make_lock_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    // An existing one must not even be opened: closing it would take away the locks of this process.
    let lock = path.join("lock.mdb");
    match options.open(&lock) {
        // A short one would be taken for a whole one by whoever opens the store next.
        Ok(mut file) => {
            file.write_all(&[0; LOCK_FILE_BYTES]).inspect_err(|_| drop(std::fs::remove_file(&lock)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

fn open_env(options: &Options) -> Result<Env<WithoutTls>, heed::Error> {
    let mut open = EnvOpenOptions::new().read_txn_without_tls();
    open.map_size(options.first_map_size()).max_readers(512);
    Tables::set_limit(&mut open);
    let mut flags = EnvFlags::empty();
    flags.set(EnvFlags::READ_ONLY, options.access == Access::Read);
    flags.set(EnvFlags::NO_READ_AHEAD, !options.read_ahead);
    // SAFETY: the flags take no safety away: writing through a read-only one fails. The file is
    // changed only through LMDB, whose locks hold between processes.
    #[expect(unsafe_code, reason = "mapping a file trusts whoever else may change it")]
    unsafe {
        open.flags(flags);
        open.open(&options.path)
    }
}

/// Writes something that changes nothing.
fn touch(tables: &Tables, wtxn: &mut RwTxn<'_>) -> Result<(), LmdbError> {
    let next = keys::serial_bytes(store::Serial::new(next_serial(tables, wtxn)?));
    Ok(tables.meta.put(wtxn, NEXT_SERIAL_KEY, &next)?)
}

/// Reads the serial that the next event gets.
pub(crate) fn next_serial(tables: &Tables, txn: &RoTxn<'_>) -> Result<u64, LmdbError> {
    let stored = tables.meta.get(txn, NEXT_SERIAL_KEY)?;
    Ok(stored.map_or(1, |bytes| keys::serial_from(bytes).as_u64()))
}

pub(crate) const NEXT_SERIAL_KEY: &[u8] = b"next_serial";

#[cfg(test)]
mod tests;
