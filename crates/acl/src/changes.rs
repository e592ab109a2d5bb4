//! How often something was decided, and who waits for that.

use tokio::sync::watch;

/// Counts changes, and wakes those who wait for one.
#[derive(Clone, Debug)]
pub struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    /// Counts one more.
    pub fn add(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        *self.0.borrow()
    }

    /// Follows them.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
