//! Things kept for callers that will come back for them, for some time and up to some number.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// Things by the number they are asked for with; the one longest unused goes first.
pub(super) struct Kept<T> {
    most: usize,
    time: Duration,
    things: Mutex<Things<T>>,
}

struct Things<T> {
    by_number: HashMap<u64, (u64, T)>,
    /// When each was put here last, in that order.
    by_age: BTreeMap<u64, (Instant, u64)>,
    next: u64,
}

impl<T> Kept<T> {
    /// For queries that are answered slowly: each is a few hundred bytes.
    pub(super) fn queries() -> Self {
        Self::new(20_000, Duration::from_secs(300))
    }

    /// For sets, which may be gathered and large.
    pub(super) fn sets() -> Self {
        Self::new(256, Duration::from_secs(60))
    }

    fn new(most: usize, time: Duration) -> Self {
        let things = Things { by_number: HashMap::new(), by_age: BTreeMap::new(), next: 0 };
        Self { most, time, things: Mutex::new(things) }
    }

    /// Keeps a thing; what has been unused for too long goes.
    pub(super) fn put(&self, number: u64, thing: T) {
        let now = Instant::now();
        let mut things = self.things.lock();
        things.take(number);
        let age = things.next;
        things.next += 1;
        things.by_number.insert(number, (age, thing));
        things.by_age.insert(age, (now, number));
        while let Some(oldest) = things.by_age.first_entry() {
            let (put, number) = *oldest.get();
            if things.by_number.len() <= self.most && now.duration_since(put) < self.time {
                break;
            }
            things.take(number);
        }
    }

    /// Takes a thing away.
    pub(super) fn take(&self, number: u64) -> Option<T> {
        self.things.lock().take(number)
    }
}

impl<T> Things<T> {
    fn take(&mut self, number: u64) -> Option<T> {
        let (age, thing) = self.by_number.remove(&number)?;
        self.by_age.remove(&age);
        Some(thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_unused_longest_goes_when_there_is_too_much_or_too_late() {
        let kept = Kept::new(2, Duration::from_secs(10));
        kept.put(1, 'a');
        kept.put(2, 'b');
        kept.put(1, 'c');
        kept.put(3, 'd');
        assert_eq!([2, 1, 1, 4].map(|number| kept.take(number)), [None, Some('c'), None, None]);
        tokio::time::advance(Duration::from_secs(11)).await;
        kept.put(5, 'e');
        assert_eq!([3, 5].map(|number| kept.take(number)), [None, Some('e')]);
        let things = kept.things.lock();
        assert!(things.by_number.is_empty() && things.by_age.is_empty());
    }
}
