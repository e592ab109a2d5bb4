//! How a database is opened.

use std::path::PathBuf;

pub(crate) const MIB: usize = 1 << 20;
/// How much memory an item of a gathered set takes.
const ITEM_BYTES: u64 = 40;
/// With less memory, what is read ahead pushes out what is needed.
const READ_AHEAD_MEMORY: u64 = 1 << 30;

/// How a database is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its directory.
    pub path: PathBuf,
    /// How large it may become, in MiB; 0 lets it grow as long as the disk has room.
    pub max_map_mib: usize,
    /// How many bytes must stay free on its disk.
    pub disk_reserve: u64,
    /// What may be done with it.
    pub access: Access,
    /// Whether summary trees are kept. Only a benchmark of their cost switches them off.
    pub keep_summaries: bool,
    /// How many items the sets may have together that are gathered for reconciliation; each takes 40 bytes.
    pub gathered_items: u64,
    /// Whether the system may read more of the file than is asked for: fast where there is memory for it.
    pub read_ahead: bool,
}

/// What may be done with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; it is made if it is not there.
    Create,
    /// Reading and writing what is there.
    Write,
    /// Reading what is there.
    Read,
}

impl Options {
    /// The usual: made if absent, growing with the disk.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_map_mib: 0,
            disk_reserve: 32 << 20,
            access: Access::Create,
            keep_summaries: true,
            gathered_items: 8_000_000,
            read_ahead: true,
        }
    }

    /// What suits a process that may take so many bytes of memory.
    pub fn within(mut self, memory: u64) -> Self {
        self.gathered_items = self.gathered_items.min(memory / 8 / ITEM_BYTES);
        self.read_ahead = memory >= READ_AHEAD_MEMORY;
        self
    }

    /// How large the map may become.
    pub(crate) fn limit(&self) -> usize {
        match self.max_map_mib {
            0 => usize::MAX / 4,
            mib => mib.saturating_mul(MIB),
        }
    }

    /// Where the map starts: all of a small limit, else enough for a million events.
    pub(crate) fn first_map_size(&self) -> usize {
        let file = std::fs::metadata(self.path.join("data.mdb")).map_or(0, |file| file.len());
        let file = usize::try_from(file).unwrap_or(usize::MAX / 4);
        let usual = if cfg!(target_pointer_width = "64") { 4096 * MIB } else { 512 * MIB };
        usual.min(self.limit()).max(file.next_multiple_of(MIB))
    }
}
