//! A copy of the whole database, taken while others read and write it.

use std::fs::File;

use heed::{CompactionOption, MdbError};

use crate::LmdbError;
use crate::env::Lmdb;

/// Writes the newest snapshot to `file`, without the pages that are free, and waits until it is on
/// disk. What others replace meanwhile takes up space until the copy has ended.
pub(crate) fn backup(lmdb: &Lmdb, file: &mut File) -> Result<(), LmdbError> {
    loop {
        // Notices that another process let the map grow.
        lmdb.read(|_| Ok(()))?;
        match lmdb.copy(file) {
            Err(LmdbError::Lmdb(heed::Error::Mdb(MdbError::MapResized))) => {}
            result => break result?,
        }
    }
    Ok(file.sync_all().map_err(heed::Error::Io)?)
}

impl Lmdb {
    fn copy(&self, file: &mut File) -> Result<(), LmdbError> {
        self.still(|env| Ok(env.copy_to_file(file, CompactionOption::Enabled)?))
    }
}
