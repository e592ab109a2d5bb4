//! Zipf's law with exponent 1: rank k is drawn k times less often than the first.
//!
//! Whole numbers only, so that the draw is the same on every machine.

use super::random::Random;

/// Draws ranks, counted from zero.
pub(crate) struct Zipf {
    cumulative: Vec<u64>,
}

impl Zipf {
    /// Prepares a draw among `ranks` ranks, at least one.
    pub(crate) fn new(ranks: usize) -> Self {
        let weights = (1..=ranks.max(1) as u64).map(|rank| (1 << 32) / rank);
        let cumulative = weights.scan(0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self { cumulative: cumulative.collect() }
    }

    /// Draws a rank.
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        let total = *self.cumulative.last().expect("at least one rank");
        let point = (u128::from(random.next()) * u128::from(total)) >> 64;
        self.cumulative.partition_point(|&sum| u128::from(sum) <= point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_rank_is_drawn_ten_times_as_often_as_the_tenth() {
        let zipf = Zipf::new(1000);
        let mut random = Random::for_item(1, 1);
        let mut counts = vec![0_u32; 1000];
        for _ in 0..200_000 {
            counts[zipf.draw(&mut random)] += 1;
        }
        let ratio = f64::from(counts[0]) / f64::from(counts[9]);
        assert!((9.0..11.0).contains(&ratio), "{ratio}");
        assert!(counts[900..].iter().sum::<u32>() > 0, "the tail is reached");
    }

    #[test]
    fn single_rank_is_always_drawn() {
        let mut random = Random::for_item(1, 2);
        assert_eq!(Zipf::new(1).draw(&mut random), 0);
    }
}
