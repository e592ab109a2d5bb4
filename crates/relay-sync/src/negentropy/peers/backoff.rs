//! How long to wait for the next synchronisation.

use std::time::Duration;

/// The wait after `failures` in a row: twice as long after each, up to `longest`, so that a peer in
/// trouble is left alone; never the same for all, so that relays do not come in step. `random` is any number.
pub(super) fn delay(interval: Duration, longest: Duration, failures: u32, random: u16) -> Duration {
    let share = f64::from(random) / f64::from(u16::MAX);
    if failures == 0 {
        return interval.mul_f64(0.9 + 0.2 * share);
    }
    let doubled = interval.saturating_mul(2_u32.saturating_pow(failures.min(30)));
    doubled.min(longest.max(interval)).mul_f64(0.5 + 0.5 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_peer_that_works_is_visited_at_the_interval_more_or_less() {
        assert_eq!(delay(MINUTE, HOUR, 0, 0), Duration::from_secs(54));
        assert_eq!(delay(MINUTE, HOUR, 0, u16::MAX), Duration::from_secs(66));
    }

    #[test]
    fn failures_double_the_wait_up_to_the_longest() {
        let most = |failures| delay(MINUTE, HOUR, failures, u16::MAX).as_secs();
        assert_eq!(
            [most(1), most(2), most(3), most(6), most(u32::MAX)],
            [120, 240, 480, 3600, 3600]
        );
        assert_eq!(delay(MINUTE, HOUR, 2, 0), Duration::from_secs(120));
    }
}
