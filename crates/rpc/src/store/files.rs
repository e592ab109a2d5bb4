//! The files of a store, which processes on the same host may read beside the service.

use std::error::Error;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use relay_sync::SyncStore;

use crate::proto::orlystore::v1 as proto;

/// Where the files of a store are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedFiles {
    /// Their directory.
    pub directory: PathBuf,
    /// Which engine they belong to: `lmdb`.
    pub engine: String,
    /// The id of the database.
    pub database_id: Vec<u8>,
}

/// Opens files for reading, or says why not.
pub type OpenFiles = Box<
    dyn Fn(&SharedFiles) -> Result<Arc<dyn SyncStore>, Box<dyn Error + Send + Sync>> + Send + Sync,
>;

impl SharedFiles {
    /// For the wire; `None` if nobody else could find the place.
    pub(super) fn to_wire(&self) -> Option<proto::SharedFiles> {
        let directory = std::path::absolute(&self.directory).ok()?;
        Some(proto::SharedFiles {
            place: place(&directory)?,
            directory: directory.to_str()?.to_owned(),
            engine: self.engine.clone(),
            database_id: self.database_id.clone().into(),
        })
    }

    /// From the wire; says why not if this process does not find the same place.
    pub(super) fn from_wire(files: proto::SharedFiles) -> Result<Self, String> {
        let directory = PathBuf::from(files.directory);
        match place(&directory) {
            Some(place) if place == files.place => {
                Ok(Self { directory, engine: files.engine, database_id: files.database_id.into() })
            }
            Some(_) => Err(format!("{} is another directory here", directory.display())),
            None => Err(format!("{} is not to be seen here", directory.display())),
        }
    }
}

/// What a directory is to the system: whoever finds the same has the same files, and is known to the
/// others by the same process id, which the locks of LMDB need.
fn place(directory: &Path) -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = std::fs::read_link("/proc/self/ns/pid").ok()?;
    let metadata = std::fs::metadata(directory).ok()?;
    let (dev, ino) = (metadata.dev(), metadata.ino());
    Some(format!("{} {} {dev}:{ino}", boot.trim(), processes.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_found_again_until_it_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("data");
        std::fs::create_dir(&directory).unwrap();
        let files = SharedFiles {
            directory: directory.clone(),
            engine: "lmdb".into(),
            database_id: vec![1],
        };
        let wire = files.to_wire().unwrap();
        assert_eq!(SharedFiles::from_wire(wire.clone()), Ok(files.clone()));
        std::fs::rename(&directory, dir.path().join("old")).unwrap();
        assert!(SharedFiles::from_wire(wire.clone()).unwrap_err().contains("not to be seen"));
        assert_eq!(files.to_wire(), None);
        std::fs::create_dir(&directory).unwrap();
        assert!(SharedFiles::from_wire(wire).unwrap_err().contains("another directory"));
    }
}
