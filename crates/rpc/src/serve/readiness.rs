//! Whether a service is configured and may be called.

use std::sync::Arc;

use tokio::sync::watch;

/// A flag that the process sets and `Ready`, health checks and whoever follows it read.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<bool>>);

impl Readiness {
    /// Not ready yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Says that the service is ready, or no longer is.
    pub fn set(&self, is_ready: bool) {
        self.0.send_replace(is_ready);
    }

    /// Whether it is ready now.
    pub fn is_ready(&self) -> bool {
        *self.0.borrow()
    }

    /// Follows it, from its present state on.
    pub(crate) fn follow(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}
