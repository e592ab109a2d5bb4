//! How much to save at once where many events come.

use std::ops::RangeInclusive;

/// How many bytes of events are saved at once, where memory allows. Ids and authors are spread over whole
/// indexes, so that a commit writes most of their pages: of a million events in batches of 14 MiB
/// 22 GB are written, in batches of 70 MiB 4 GB. While the store is small, small batches cost little,
/// and reading the next goes on beside the writing.
const BATCH: RangeInclusive<u64> = 8 << 20..=64 << 20;
/// How many batches the store has room for before they grow.
const BATCHES_IN_STORE: u64 = 8;
/// A batch takes about ten times its bytes while it is written, and the next one is gathered meanwhile.
const BATCHES_IN_MEMORY: u64 = 32;

/// How many bytes of events to save at once into a store of `stored` bytes, by a process that may take `memory`.
pub fn bulk_bytes(stored: u64, memory: u64) -> u64 {
    let wanted = (stored / BATCHES_IN_STORE).clamp(*BATCH.start(), *BATCH.end());
    wanted.min(memory / BATCHES_IN_MEMORY)
}

#[cfg(test)]
mod tests {
    use super::bulk_bytes;

    #[test]
    fn batches_grow_with_the_store_as_far_as_memory_allows() {
        const MIB: u64 = 1 << 20;
        let cases = [(0, 4096, 8), (256, 4096, 32), (4096, 4096, 64), (4096, 1024, 32), (0, 64, 2)];
        for (stored, memory, batch) in cases {
            assert_eq!(bulk_bytes(stored * MIB, memory * MIB), batch * MIB);
        }
    }
}
