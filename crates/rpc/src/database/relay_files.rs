//! Blobs that a relay of the original put down itself: it writes the file beside the database, where
//! `GetPath` says that this is, and tells the service of the owner only (`SaveBlobMetadata`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use event::hex;
use prost::bytes::Bytes;

use super::files::{Name, absent_is_none, off_runtime};

/// How long the ending of a name may be.
const EXTENSION_BYTES: usize = 32;

/// A directory of files that relays write, `<sha256><extension>` each.
#[derive(Clone)]
pub(super) struct RelayFiles(Arc<Path>);

impl RelayFiles {
    /// The files beside a database in `directory`.
    pub(super) fn beside(directory: &Path) -> Self {
        Self(directory.join("blossom").into())
    }

    /// Reads a file of at most `most` bytes; a larger one counts as absent.
    pub(super) async fn read(
        &self,
        name: &Name,
        extension: &str,
        most: usize,
    ) -> io::Result<Option<Bytes>> {
        let Some(path) = self.path(name, extension) else { return Ok(None) };
        off_runtime(move || {
            let len = absent_is_none(fs::metadata(&path))?.map(|metadata| metadata.len());
            if len.is_none_or(|len| len > most as u64) {
                return Ok(None);
            }
            Ok(absent_is_none(fs::read(path))?.map(Bytes::from))
        })
        .await
    }

    /// Removes a file, if it is there.
    pub(super) async fn remove(&self, name: &Name, extension: &str) -> io::Result<()> {
        let Some(path) = self.path(name, extension) else { return Ok(()) };
        off_runtime(move || absent_is_none(fs::remove_file(path)).map(drop)).await
    }

    /// Where it is; an extension that leads elsewhere is nobody's.
    fn path(&self, name: &Name, extension: &str) -> Option<PathBuf> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
        let is_safe = extension.len() <= EXTENSION_BYTES && extension.bytes().all(is_plain);
        is_safe.then(|| self.0.join(hex::encode(name) + extension))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extension_leads_out_of_the_directory() {
        let files = RelayFiles::beside(Path::new("/db"));
        let name = hex::encode(&[7; 32]);
        for (extension, expected) in [
            ("", Some(format!("/db/blossom/{name}"))),
            (".tar.gz", Some(format!("/db/blossom/{name}.tar.gz"))),
            ("/../../secret", None),
            (".\0", None),
            (&"x".repeat(33), None),
        ] {
            assert_eq!(files.path(&[7; 32], extension), expected.map(PathBuf::from), "{extension}");
        }
    }
}
