//! Why a directory cannot be used for a database, and what to do about it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use nix::unistd::{getegid, geteuid};

/// Tells an operator what to do after `error` with the directory `path`.
pub(crate) fn for_directory(path: &Path, error: &heed::Error) -> String {
    let heed::Error::Io(error) = error else {
        return "is it writable, and its disk not full?".into();
    };
    match error.kind() {
        ErrorKind::PermissionDenied => not_writable(path),
        ErrorKind::ReadOnlyFilesystem => {
            "its file system is read-only: mount a volume there, or set ORLY_DATA_DIR".into()
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "its disk is full".into(),
        ErrorKind::OutOfMemory => no_address_space(),
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "it is no directory: set ORLY_DATA_DIR".into()
        }
        _ => "is it writable, its disk not full, and its file system a local one?".into(),
    }
}

fn not_writable(path: &Path) -> String {
    let (user, group) = (geteuid(), getegid());
    let existing = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    let owner = existing.metadata().map_or_else(
        |_| "it cannot be looked at".to_owned(),
        |found| format!("{} belongs to user {}:{}", existing.display(), found.uid(), found.gid()),
    );
    format!(
        "{owner}, this process runs as {user}:{group}: \
         chown -R {user}:{group} it (for a container, what is mounted there), or set ORLY_DATA_DIR"
    )
}

/// The map takes addresses, not memory; a limit on addresses keeps it from being made.
fn no_address_space() -> String {
    match getrlimit(Resource::RLIMIT_AS) {
        Ok((limit, _)) if limit != RLIM_INFINITY => format!(
            "its map needs more addresses than {limit} bytes: lift the limit (ulimit -v, LimitAS=), \
             or set ORLY_DB_MAP_SIZE_MB to less"
        ),
        _ => "the system gives no addresses for its map: set ORLY_DB_MAP_SIZE_MB to less".into(),
    }
}
