//! How long to wait before a unit is started again.

use std::time::Duration;

/// What happens when a unit ends by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// The wait after the first failure; it doubles with each further one.
    pub min_delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// A run of this length makes earlier failures forgotten.
    pub stable_after: Duration,
    /// This many failures in a row are a crash loop.
    pub crash_loop_after: u32,
    /// How often a unit in a crash loop is tried again.
    pub crash_loop_delay: Duration,
    /// Exit codes after which another try cannot go better.
    pub hopeless_codes: Vec<i32>,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            min_delay: Duration::from_millis(100),
            max_delay: Duration::from_secs(30),
            stable_after: Duration::from_secs(60),
            crash_loop_after: 10,
            crash_loop_delay: Duration::from_secs(60),
            hopeless_codes: Vec::new(),
        }
    }
}

impl RestartPolicy {
    /// The wait after this many failures in a row. `chance` shortens it by up to a quarter, so that units
    /// that fell together do not rise together.
    pub(crate) fn delay(&self, failures: u32, chance: u8) -> Duration {
        let doublings = failures.saturating_sub(1).min(20);
        let delay = self.min_delay.saturating_mul(1 << doublings).min(self.max_delay);
        delay - delay * u32::from(chance) / (4 * u32::from(u8::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let policy = RestartPolicy::default();
        let delays = |chance| [1, 2, 3, 8, 10, 1000, u32::MAX].map(|n| policy.delay(n, chance));
        assert_eq!(
            delays(0),
            [100, 200, 400, 12_800, 30_000, 30_000, 30_000].map(Duration::from_millis)
        );
        assert_eq!(
            delays(255),
            [75, 150, 300, 9_600, 22_500, 22_500, 22_500].map(Duration::from_millis)
        );
    }
}
