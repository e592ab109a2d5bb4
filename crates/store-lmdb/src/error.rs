//! What goes wrong with an LMDB database, in words for an operator.

use std::path::PathBuf;

use store::StoreError;

/// A failure of this engine.
#[derive(Debug, thiserror::Error)]
pub enum LmdbError {
    /// The directory cannot be used.
    #[error("open event store in {}: {hint}", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What to do about it.
        hint: String,
        /// What LMDB or the system said.
        #[source]
        source: heed::Error,
    },
    /// There is no database, and it is not to be made.
    #[error("no event store in {}: start the relay or import events first", .0.display())]
    Absent(PathBuf),
    /// There is another database than expected.
    #[error("the event store in {} is another one", .0.display())]
    Another(PathBuf),
    /// A newer version wrote the database.
    #[error(
        "event store has schema {found}, this version knows up to {known}: run the newer version again, \
         or export with it (`orly export`) and import into an empty directory with this one"
    )]
    NewerSchema {
        /// The schema of the database.
        found: u32,
        /// The newest schema of this version.
        known: u32,
    },
    /// An older version wrote the database, and who only reads it cannot bring it up to date.
    #[error(
        "the event store in {} is of an older version: the process that writes to it brings it up to date when it \
         starts",
        path.display()
    )]
    OlderSchema {
        /// The directory.
        path: PathBuf,
    },
    /// The database is full.
    #[error(
        "event store is full: it may grow to {limit} bytes (ORLY_DB_MAP_SIZE_MB), or free space by deleting"
    )]
    Full {
        /// How large the map may become.
        limit: usize,
    },
    /// The end of a commit could not be written. LMDB then refuses all, reading too, until it is opened anew,
    /// which takes a new process: this one may have opened it twice.
    #[error(
        "the disk of the event store in {} failed: what was acknowledged is safe, but only a new process can go on",
        path.display()
    )]
    Broken {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: heed::Error,
    },
    /// LMDB failed.
    #[error("lmdb failed")]
    Lmdb(#[from] heed::Error),
    /// What is stored contradicts itself.
    #[error("event store is damaged ({0}): run `orly db check`")]
    Damaged(&'static str),
}

impl From<LmdbError> for StoreError {
    fn from(error: LmdbError) -> Self {
        match error {
            LmdbError::Full { .. } => Self::ReadOnly(error.to_string()),
            LmdbError::Broken { .. } | LmdbError::NewerSchema { .. } => {
                Self::Unavailable(error.to_string())
            }
            // What broke it was told when it did.
            LmdbError::Lmdb(heed::Error::Mdb(heed::MdbError::Panic)) => {
                Self::Unavailable("its disk failed".into())
            }
            other => Self::internal(other),
        }
    }
}

/// Whether `error` says that the file system has no room left.
pub(crate) fn is_disk_full(error: &LmdbError) -> bool {
    let LmdbError::Lmdb(heed::Error::Io(error)) = error else { return false };
    use std::io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Whether `error` is what LMDB makes of a write that stopped half way, as on a disk that fills up.
pub(crate) fn is_short_write(error: &LmdbError) -> bool {
    let LmdbError::Lmdb(heed::Error::Io(error)) = error else { return false };
    error.raw_os_error() == Some(nix::errno::Errno::EIO as i32)
}

/// Whether `error` says that the map has no room left.
pub(crate) const fn is_map_full(error: &LmdbError) -> bool {
    matches!(error, LmdbError::Lmdb(heed::Error::Mdb(heed::MdbError::MapFull)))
}
