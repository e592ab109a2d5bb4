//! Which ids were reported: after a cut message an id may come once more.

use std::collections::HashSet;

use event::EventId;
use parking_lot::Mutex;

/// How many ids a generation has; two are kept.
const GENERATION: usize = 500_000;

/// Remembers the newest ids, at least [`GENERATION`]. One that was forgotten is fetched or sent twice,
/// which changes nothing but the numbers.
#[derive(Default)]
pub(super) struct Seen(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    new: HashSet<EventId>,
    old: HashSet<EventId>,
}

impl Seen {
    /// Keeps those that were not seen before.
    pub(super) fn retain_new(&self, ids: &mut Vec<EventId>) {
        let mut generations = self.0.lock();
        ids.retain(|id| {
            if generations.new.len() >= GENERATION {
                generations.old = std::mem::take(&mut generations.new);
            }
            !generations.old.contains(id) && generations.new.insert(*id)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once() {
        let seen = Seen::default();
        let id = |byte| EventId::new([byte; 32]);
        let mut ids = vec![id(1), id(2), id(1)];
        seen.retain_new(&mut ids);
        assert_eq!(ids, [id(1), id(2)]);
        let mut ids = vec![id(2), id(3)];
        seen.retain_new(&mut ids);
        assert_eq!(ids, [id(3)]);
    }
}
