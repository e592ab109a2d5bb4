//! How much room is left on the disk of the event store.

use std::path::Path;

use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};

/// With less than this left, events are refused already or soon will be.
const SHORT: u64 = 64 << 20;

/// A disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Disk {
    /// The directory that was asked about.
    pub(crate) path: String,
    pub(crate) free_bytes: u64,
    pub(crate) total_bytes: u64,
    /// What an operator has to know; `None` while there is room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warning: Option<String>,
}

impl Disk {
    /// The one this directory is on; `None` if nothing can be said of it.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let disk = statvfs(path).ok()?;
        let bytes = |blocks: u64| disk.fragment_size().saturating_mul(blocks);
        let path = path.display().to_string();
        Some(Self::with(path, bytes(disk.blocks_available()), bytes(disk.blocks())))
    }

    fn with(path: String, free_bytes: u64, total_bytes: u64) -> Self {
        let warning = (free_bytes < SHORT).then(|| {
            let free = free_bytes >> 20;
            format!("{free} MB are left on the disk of {path}: free some space, events are refused when it is full")
        });
        Self { path, free_bytes, total_bytes, warning }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_gets_full_is_told_of() {
        assert_eq!(Disk::with("/data".into(), SHORT, 10 * SHORT).warning, None);
        assert_eq!(
            Disk::with("/data".into(), (12 << 20) + 5, 10 * SHORT).warning.unwrap(),
            "12 MB are left on the disk of /data: free some space, events are refused when it is full"
        );
    }

    #[test]
    fn a_disk_has_no_more_free_than_it_has() {
        let disk = Disk::of(Path::new("/")).unwrap();
        assert!(disk.free_bytes <= disk.total_bytes && disk.total_bytes > 0, "{disk:?}");
        assert_eq!(Disk::of(Path::new("/nowhere/at/all")), None);
    }
}
