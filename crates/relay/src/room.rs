//! Memory that waits on behalf of clients, counted for all of them together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much of it there may be.
#[derive(Debug)]
pub(crate) struct Room {
    limit: usize,
    taken: AtomicUsize,
}

/// Some of it, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    /// Room for so many bytes.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, taken: AtomicUsize::new(0) })
    }

    /// Counts bytes that are there already, be there room or not.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Place {
        self.taken.fetch_add(bytes, Ordering::Relaxed);
        Place { room: Arc::clone(self), bytes }
    }

    /// Whether more is taken than there should be.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let room = Room::new(100);
        let most = room.take(100);
        assert!(!room.is_full());
        let more = room.take(1);
        assert!(room.is_full());
        drop(more);
        assert!(!room.is_full());
        drop(most);
        assert_eq!(room.taken.load(Ordering::Relaxed), 0);
    }
}
