//! Seconds since 1970, the only time on the wire (NIP-01).

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// A Unix time in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest time an event may carry: 40 bits of seconds, the year 36812.
    ///
    /// Indexes keep five bytes of it. A larger value is always a mistake (milliseconds, mostly).
    pub const MAX: Self = Self((1 << 40) - 1);

    /// Takes seconds since 1970.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs)
    }

    /// Seconds since 1970.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// The present, by the system's clock.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now() -> Self {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        Self(since.unwrap_or(Duration::ZERO).as_secs())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
