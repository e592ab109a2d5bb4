//! Percentiles of collected durations, exact: all values are kept and sorted.

use std::time::Duration;

use crate::report::Metric;

/// Durations in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u64>);

impl Latencies {
    /// Adds a duration.
    pub(crate) fn push(&mut self, latency: Duration) {
        self.0.push(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Takes over all durations of another collection.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// The usual percentiles, with `prefix` before their names.
    pub(crate) fn metrics(mut self, prefix: &str) -> Vec<Metric> {
        self.0.sort_unstable();
        let points = [("p50", 500), ("p99", 990), ("p99.9", 999), ("max", 1000)];
        let metric = |(name, per_mille)| {
            Metric::millis(
                &format!("{prefix}{name}"),
                nearest_rank(&self.0, per_mille) as f64 / 1e6,
            )
        };
        points.map(metric).into()
    }
}

/// The smallest value that at least `per_mille` thousandths of the sorted values do not exceed.
fn nearest_rank(sorted: &[u64], per_mille: usize) -> u64 {
    let rank = (sorted.len() * per_mille).div_ceil(1000);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// The middle value, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => 0.0,
        values if values.len().is_multiple_of(2) => {
            f64::midpoint(values[middle - 1], values[middle])
        }
        values => values[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank_takes_a_value_that_occurred() {
        let values: Vec<u64> = (1..=1000).collect();
        assert_eq!(nearest_rank(&values, 500), 500);
        assert_eq!(nearest_rank(&values, 999), 999);
        assert_eq!(nearest_rank(&values, 1000), 1000);
        assert_eq!(nearest_rank(&[7], 500), 7);
        assert_eq!(nearest_rank(&[1, 2, 3], 990), 3);
        assert_eq!(nearest_rank(&[], 500), 0);
    }

    #[test]
    fn median_of_an_even_number_is_the_mean_of_the_middle() {
        assert!((median(vec![4.0, 1.0, 3.0, 2.0]) - 2.5).abs() < f64::EPSILON);
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
    }
}
