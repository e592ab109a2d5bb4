//! The data directory: there, and writable, before anything starts.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::anyhow;
use nix::unistd::{AccessFlags, access, getegid, geteuid};

/// Makes the directory if it is not there. Fails if nothing can be written to it, and says what to do.
pub(crate) fn prepare(path: &Path) -> anyhow::Result<()> {
    let usable = fs::create_dir_all(path).and_then(|()| {
        access(path, AccessFlags::W_OK | AccessFlags::X_OK).map_err(io::Error::from)
    });
    usable.map_err(|error| {
        let hint = hint(path, &error);
        anyhow!(error).context(format!("use {} (ORLY_DATA_DIR): {hint}", path.display()))
    })
}

fn hint(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let (user, group) = (geteuid(), getegid());
            let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
            let owner = existing.metadata().map_or_else(
                |_| "it cannot be looked at".to_owned(),
                |found| format!("belongs to user {}:{}", found.uid(), found.gid()),
            );
            format!(
                "{} {owner}, this process runs as {user}:{group}: chown -R {user}:{group} it (for a \
                 container, what is mounted there), or name another directory",
                existing.display()
            )
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "its file system is read-only: mount a volume there, or name another directory".into()
        }
        _ => "name another directory".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_and_a_file_in_its_place_is_named() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        prepare(&path).unwrap();
        assert!(path.is_dir());
        fs::write(home.path().join("file"), "").unwrap();
        let path = home.path().join("file/data");
        let error = format!("{:#}", prepare(&path).unwrap_err());
        let start = format!("use {} (ORLY_DATA_DIR): name another directory: ", path.display());
        assert!(error.starts_with(&start), "{error}");
    }

    #[test]
    fn what_belongs_to_another_user_is_named_with_both() {
        let hint = hint(Path::new("/nowhere/data"), &io::ErrorKind::PermissionDenied.into());
        let own = format!("{}:{}", geteuid(), getegid());
        assert_eq!(
            hint,
            format!(
                "/ belongs to user 0:0, this process runs as {own}: chown -R {own} it (for a container, \
                 what is mounted there), or name another directory"
            )
        );
    }
}
