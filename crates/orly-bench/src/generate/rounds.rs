//! Makes events in rounds: all threads share a round, and refer only to the rounds before it.
//!
//! The size of a round and the numbers of an event depend on the event's index alone, so the
//! output is the same whatever the number of threads.

use std::ops::Range;
use std::thread;

use super::author::Draft;
use super::kinds::Shape;
use super::random::Random;
use super::world::{Entry, World};

/// The events of a part of a round, as JSON without line ends.
#[derive(Default)]
pub(crate) struct Batch {
    json: Vec<u8>,
    events: Vec<(usize, Entry)>,
}

/// When the events were made.
#[derive(Clone, Copy)]
pub(crate) enum Clock {
    /// Rising over the given seconds up to `until`, with the delays of a real relay.
    Span { until: u64, seconds: u64 },
    /// All at about one moment, in the order of the index: `per_second` events a second.
    Live { from: u64, per_second: u64 },
}

/// Which shapes are drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// All kinds of a real relay.
    All,
    /// All kinds that anyone may read.
    Public,
    /// Only kinds that no later event replaces and that anyone may read.
    RegularPublic,
}

/// A deterministic sequence of `count` signed events.
pub(crate) struct Rounds {
    pub(crate) world: World,
    pub(crate) seed: u64,
    pub(crate) count: usize,
    pub(crate) clock: Clock,
    pub(crate) mix: Mix,
    pub(crate) threads: usize,
    made: usize,
}

impl Rounds {
    /// Prepares the sequence.
    pub(crate) fn new(
        world: World,
        seed: u64,
        count: usize,
        clock: Clock,
        mix: Mix,
        threads: usize,
    ) -> Self {
        Self { world, seed, count, clock, mix, threads: threads.max(1), made: 0 }
    }

    /// Makes the next round; `None` at the end.
    pub(crate) fn next_round(&mut self) -> Option<Vec<Batch>> {
        let round = self.made..self.count.min(self.made + self.made.clamp(64, 8192));
        if round.is_empty() {
            return None;
        }
        self.made = round.end;
        let share = round.len().div_ceil(self.threads);
        let this = &*self;
        let batches: Vec<Batch> = thread::scope(|scope| {
            let starts = round.clone().step_by(share);
            let parts = starts.map(|start| start..round.end.min(start + share));
            let running: Vec<_> = parts.map(|part| scope.spawn(move || this.make(part))).collect();
            running
                .into_iter()
                .map(|part| part.join().expect("making events does not panic"))
                .collect()
        });
        for batch in &batches {
            self.world.history.extend(batch.events.iter().map(|(_, entry)| *entry));
        }
        Some(batches)
    }

    fn make(&self, part: Range<usize>) -> Batch {
        let mut batch = Batch::default();
        let mut draft = Draft::default();
        for index in part {
            let mut random = Random::for_item(self.seed, index as u64);
            let shape = self.draw_shape(&mut random);
            let author = self.world.draw_author(&mut random);
            draft.clear();
            draft.created_at = self.clock.created_at(index as u64, self.count as u64, &mut random);
            let d = shape.fill(&mut draft, &self.world, &mut random);
            let id = self.world.authors[author].sign(&mut draft, &mut batch.json);
            let author = u32::try_from(author).expect("fewer authors than 2^32");
            batch.events.push((batch.json.len(), Entry { id, author, kind: draft.kind, d }));
        }
        batch
    }

    fn draw_shape(&self, random: &mut Random) -> Shape {
        loop {
            let shape = Shape::draw(random);
            if self.mix.has(shape) {
                return shape;
            }
        }
    }
}

impl Mix {
    const fn has(self, shape: Shape) -> bool {
        match shape {
            Shape::Note | Shape::Reaction | Shape::Repost | Shape::Zap | Shape::Report => true,
            Shape::Profile | Shape::FollowList | Shape::RelayList | Shape::Article => {
                !matches!(self, Self::RegularPublic)
            }
            Shape::DirectMessage => matches!(self, Self::All),
        }
    }
}

impl Clock {
    fn created_at(self, index: u64, count: u64, random: &mut Random) -> u64 {
        match self {
            Self::Span { until, seconds } => {
                let start = until.saturating_sub(seconds);
                let elapsed = u128::from(seconds) * u128::from(index + 1) / u128::from(count);
                let arrival = start + u64::try_from(elapsed).expect("at most `seconds`");
                let delay = match random.below(100) {
                    0 => random.below(30 * 86_400),
                    1..15 => random.below(3600),
                    _ => random.below(60),
                };
                arrival.saturating_sub(delay as u64).max(start)
            }
            Self::Live { from, per_second } => from + index / per_second.max(1),
        }
    }
}

impl Batch {
    /// Each event's JSON and entry, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        let starts = std::iter::once(0).chain(self.events.iter().map(|(end, _)| *end));
        starts.zip(&self.events).map(|(start, (end, entry))| (&self.json[start..*end], entry))
    }
}
