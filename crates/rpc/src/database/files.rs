//! Files under names of 32 bytes. A file is there whole or not at all, whatever happens meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use event::hex;
use prost::bytes::Bytes;

/// Who may look: the user of the service.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// A directory of such files, spread over 256 directories by the first byte.
#[derive(Clone)]
pub(super) struct Files(Arc<Path>);

/// The name of a file.
pub(super) type Name = [u8; 32];

impl Files {
    /// Files below `directory`, which is made when it is needed.
    pub(super) fn new(directory: PathBuf) -> Self {
        Self(directory.into())
    }

    /// Writes a file, and waits until it is on disk.
    pub(super) async fn write(&self, name: Name, data: Bytes) -> io::Result<()> {
        let files = self.clone();
        off_runtime(move || files.write_now(&name, &data)).await
    }

    /// Reads a file.
    pub(super) async fn read(&self, name: Name) -> io::Result<Option<Bytes>> {
        let path = self.path(&name);
        off_runtime(move || absent_is_none(fs::read(path)).map(|found| found.map(Bytes::from)))
            .await
    }

    /// How long a file is.
    pub(super) async fn len(&self, name: Name) -> io::Result<Option<u64>> {
        let path = self.path(&name);
        off_runtime(move || Ok(absent_is_none(fs::metadata(path))?.map(|metadata| metadata.len())))
            .await
    }

    /// Removes a file, if it is there.
    pub(super) async fn remove(&self, name: Name) -> io::Result<()> {
        let path = self.path(&name);
        off_runtime(move || absent_is_none(fs::remove_file(path)).map(drop)).await
    }

    /// The names and lengths of all files; what an interrupted write left is removed.
    pub(super) async fn sweep(&self) -> io::Result<Vec<(Name, u64)>> {
        let files = self.clone();
        off_runtime(move || files.sweep_now()).await
    }

    fn path(&self, name: &Name) -> PathBuf {
        let name = hex::encode(name);
        self.0.join(&name[..2]).join(name)
    }

    fn write_now(&self, name: &Name, data: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let directory = path.parent().unwrap_or(&self.0);
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)?;
        let draft = directory.join(format!("{}.{:016x}", hex::encode(name), rand::random::<u64>()));
        let written = (|| {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(FILE_MODE).open(&draft)?;
            file.write_all(data)?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(directory)?.sync_all()
        })();
        if written.is_err() {
            // It may not be there; what is left is swept up some day.
            let _left = fs::remove_file(&draft);
        }
        written
    }

    fn sweep_now(&self) -> io::Result<Vec<(Name, u64)>> {
        let mut found = Vec::new();
        let Some(directories) = absent_is_none(fs::read_dir(&*self.0))? else { return Ok(found) };
        for directory in directories {
            let directory = directory?;
            if !directory.file_type()?.is_dir() {
                continue;
            }
            for entry in fs::read_dir(directory.path())? {
                let entry = entry?;
                let file_name = entry.file_name();
                match hex::decode_fixed(file_name.as_encoded_bytes()) {
                    Some(name) => found.push((name, entry.metadata()?.len())),
                    None => absent_is_none(fs::remove_file(entry.path())).map(drop)?,
                }
            }
        }
        Ok(found)
    }
}

pub(super) fn absent_is_none<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) async fn off_runtime<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_come_back_and_leavings_are_swept() {
        let directory = tempfile::TempDir::new().unwrap();
        let files = Files::new(directory.path().join("x/y"));
        assert_eq!(files.read([1; 32]).await.unwrap(), None);
        assert_eq!(files.sweep().await.unwrap(), []);
        files.write([1; 32], Bytes::from_static(b"one")).await.unwrap();
        files.write([1; 32], Bytes::from_static(b"two!")).await.unwrap();
        let left = files.path(&[1; 32]).with_extension("0123");
        fs::write(&left, "half").unwrap();
        assert_eq!(files.read([1; 32]).await.unwrap().unwrap(), "two!");
        assert_eq!(files.sweep().await.unwrap(), [([1; 32], 4)]);
        assert!(!left.exists());
        files.remove([1; 32]).await.unwrap();
        files.remove([1; 32]).await.unwrap();
        assert_eq!(files.len([1; 32]).await.unwrap(), None);
    }
}
