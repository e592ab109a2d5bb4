//! Two sets of any shape converge, whoever plays which side, at any frame size limit.

use event::{EventId, Timestamp};
use proptest::prelude::*;
use reconcile::Item;
use sha2::{Digest, Sha256};

use crate::peer::{Engine, Outcome, Side, differences, reconcile};

/// What two sets look like; the same shape gives the same sets.
#[derive(Clone, Copy, Debug)]
struct Shape {
    seed: u64,
    /// How many items there are in both sets together.
    items: u64,
    /// How many seconds they are spread over: few give many equal times.
    seconds: u64,
    /// How many leading bytes all ids share.
    prefix: usize,
    /// Of 256 items, how many only the left set, and how many only the right set holds.
    lacking: (u8, u8),
}

impl Shape {
    fn sets(self) -> (Vec<Item>, Vec<Item>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for number in 0..self.items {
            // Ids have to be hashes: sums of numbers in a row collide, {1, 4} and {2, 3} have one fingerprint.
            let mut id: [u8; 32] =
                Sha256::digest([self.seed, number].map(u64::to_be_bytes).as_flattened()).into();
            let [.., fate, a, b, c, d, e, f] = id;
            let secs = u64::from_be_bytes([0, 0, a, b, c, d, e, f]) % self.seconds;
            id[..self.prefix].fill(0x5a);
            let item = Item { created_at: Timestamp::from_secs(secs), id: EventId::new(id) };
            if fate >= self.lacking.1 {
                left.push(item);
            }
            if fate < self.lacking.1 || fate - self.lacking.1 >= self.lacking.0 {
                right.push(item);
            }
        }
        (left, right)
    }
}

prop_compose! {
    fn shapes(most: u64)(
        seed in any::<u64>(),
        items in 0..most,
        seconds in prop_oneof![Just(1u64), 2..5u64, 1..2000u64, 1..1u64 << 40],
        prefix in prop_oneof![Just(0usize), 0..12usize],
        lacking in (0..=128u8, 0..=127u8),
        rare in any::<bool>(),
    ) -> Shape {
        let lacking = if rare { (lacking.0 / 32, lacking.1 / 32) } else { lacking };
        Shape { seed, items, seconds, prefix, lacking }
    }
}

fn limits() -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), 4096..5000usize, 4096..60_000usize]
}

fn run(
    engines: (Engine, Engine),
    shape: Shape,
    limits: (usize, usize),
) -> Result<Outcome, TestCaseError> {
    let (left, right) = shape.sets();
    let outcome = reconcile(
        Side { engine: engines.0, items: &left, limit: limits.0 },
        Side { engine: engines.1, items: &right, limit: limits.1 },
    );
    let (have, need) = differences(&left, &right);
    prop_assert_eq!(&outcome.have, &have, "have, {:?} at {:?}", engines, limits);
    prop_assert_eq!(&outcome.need, &need, "need, {:?} at {:?}", engines, limits);
    Ok(outcome)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn without_limits_every_byte_is_that_of_the_crate(shape in shapes(3000)) {
        let theirs = run((Engine::Crate, Engine::Crate), shape, (0, 0))?;
        for engines in [(Engine::Ours, Engine::Ours), (Engine::Ours, Engine::Crate), (Engine::Crate, Engine::Ours)] {
            let outcome = run(engines, shape, (0, 0))?;
            prop_assert_eq!(outcome.repeated, 0);
            prop_assert!(outcome.messages == theirs.messages, "bytes differ with {:?}", engines);
        }
    }

    #[test]
    fn we_converge_with_ourselves_at_any_limits(shape in shapes(6000), initiator in limits(), responder in limits()) {
        run((Engine::Ours, Engine::Ours), shape, (initiator, responder))?;
    }

    #[test]
    fn the_crate_answers_us_at_any_limits(shape in shapes(6000), initiator in limits(), responder in limits()) {
        run((Engine::Ours, Engine::Crate), shape, (initiator, responder))?;
    }

    #[test]
    fn we_answer_the_crate_at_any_limits(shape in shapes(6000), initiator in limits(), responder in limits()) {
        run((Engine::Crate, Engine::Ours), shape, (initiator, responder))?;
    }
}
