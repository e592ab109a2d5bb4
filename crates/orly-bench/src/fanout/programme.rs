//! The events to publish, signed beforehand, each with the number of subscribers it must reach.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::ensure;
use event::Timestamp;

use super::audience::Interest;
use crate::generate::all_cores;
use crate::generate::random::Random;
use crate::generate::rounds::{Clock, Mix, Rounds};
use crate::generate::world::{Entry, World};
use crate::sample::{self, SampledEvent};

/// Notes of the sample file that fresh events may refer to.
const SAMPLE_SIZE: usize = 4000;

/// What will be asked and published.
pub(super) struct Programme {
    /// The subscribers' filters as JSON.
    pub(super) filters: Vec<String>,
    pub(super) events: Vec<Planned>,
}

/// An event and its audience.
pub(super) struct Planned {
    pub(super) json: Vec<u8>,
    pub(super) id: [u8; 32],
    /// How many subscribers' filters match.
    pub(super) expected: u32,
}

/// Signs `count` fresh events, `per_second` for each second from now on.
pub(super) fn prepare(
    subscribers: usize,
    count: usize,
    per_second: u64,
    (seed, authors): (u64, usize),
    sample: Option<&Path>,
) -> anyhow::Result<Programme> {
    let now = Timestamp::now().as_secs();
    let mut world = World::new(seed, authors, all_cores());
    if let Some(path) = sample {
        world.history = known_notes(&world, path)?;
    }
    let mut random = Random::for_item(seed, 2);
    let interests: Vec<_> = (0..subscribers).map(|_| Interest::draw(&world, &mut random)).collect();

    // The time of day makes the events of every run new ones.
    let clock = Clock::Live { from: now, per_second };
    let mut rounds = Rounds::new(world, seed ^ now, count, clock, Mix::RegularPublic, all_cores());
    let mut events = Vec::with_capacity(count);
    let mut ids = HashSet::with_capacity(count);
    while let Some(batches) = rounds.next_round() {
        for (json, entry) in batches.iter().flat_map(|batch| batch.iter()) {
            // Within a second, an author may react twice alike: the same event.
            if !ids.insert(entry.id) {
                continue;
            }
            let event = SampledEvent::parse(json)?;
            let matching = interests.iter().filter(|interest| interest.matches(&event)).count();
            events.push(Planned {
                json: json.to_vec(),
                id: entry.id,
                expected: u32::try_from(matching)?,
            });
        }
    }
    let filters = interests.iter().map(|interest| interest.to_json(now)).collect();
    Ok(Programme { filters, events })
}

/// Notes of the file whose authors are those of the seed.
fn known_notes(world: &World, path: &Path) -> anyhow::Result<Vec<Entry>> {
    let authors: HashMap<_, _> =
        world.authors.iter().zip(0..).map(|(author, index)| (&author.pubkey, index)).collect();
    let sampled = sample::draw(path, SAMPLE_SIZE, 1)?;
    let notes = sampled.iter().filter(|event| event.kind == 1).filter_map(|event| {
        let id = event::hex::decode_fixed(event.id.as_bytes())?;
        Some(Entry { id, author: *authors.get(&event.pubkey)?, kind: event.kind, d: 0 })
    });
    let notes: Vec<_> = notes.collect();
    ensure!(
        !notes.is_empty(),
        "{}: none of its authors is of this --seed and --authors",
        path.display()
    );
    Ok(notes)
}
