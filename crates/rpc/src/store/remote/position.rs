//! How far the answer to one filter is: enough to go on from there, whoever answers.

use std::sync::Arc;

use event::{EventId, EventRef, Filter, Timestamp};

/// A filter, and what of its answer was given. Answers come newest first.
#[derive(Clone, Debug)]
pub(in crate::store) struct Position {
    filter: Arc<Filter>,
    /// How many more may come.
    left: u64,
    /// The second of the last event, and all that was given of it.
    last: Option<(Timestamp, Vec<EventId>)>,
}

impl Position {
    pub(in crate::store) fn start(filter: Filter) -> Self {
        let left = filter.limit.unwrap_or(u64::MAX);
        Self { filter: Arc::new(filter), left, last: None }
    }

    /// The filter of what is left, which finds what was given of the last second once more.
    pub(in crate::store) fn rest(&self) -> Filter {
        let mut filter = (*self.filter).clone();
        let mut again = 0;
        if let Some((second, given)) = &self.last {
            filter.until = Some(*second);
            again = given.len() as u64;
        }
        filter.limit = filter.limit.map(|_| self.left + again);
        filter
    }

    /// How many of the events of [`rest`](Self::rest) were given already.
    pub(in crate::store) fn again(&self) -> u64 {
        self.last.as_ref().map_or(0, |(_, given)| given.len() as u64)
    }

    /// Whether no more may come.
    pub(in crate::store) fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Passes over the next event of the answer, which does not count against the limit.
    pub(in crate::store) fn pass(&mut self, event: EventRef<'_>) {
        if self.take(event) {
            self.left = self.left.saturating_add(1);
        }
    }

    /// Takes the next event of the answer; `false` if it was given before, or too late.
    pub(in crate::store) fn take(&mut self, event: EventRef<'_>) -> bool {
        if self.left == 0 {
            return false;
        }
        let (at, id) = (event.created_at(), event.id());
        match &mut self.last {
            Some((second, given)) if *second == at => {
                if given.contains(&id) {
                    return false;
                }
                given.push(id);
            }
            Some((second, _)) if *second < at => return false,
            last => *last = Some((at, vec![id])),
        }
        self.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use event::{Draft, Event, Keys, Kind};

    use super::*;

    fn event(at: u64, text: &str) -> Event {
        Keys::from_secret([1; 32]).unwrap().sign(&Draft {
            created_at: Timestamp::from_secs(at),
            kind: Kind::new(1),
            tags: vec![],
            content: text.into(),
        })
    }

    #[test]
    fn what_is_left_is_asked_for_from_the_last_second_on() {
        let mut position = Position::start(r#"{"kinds":[1],"limit":4}"#.parse().unwrap());
        let events = [event(9, "a"), event(8, "b"), event(8, "c"), event(7, "d"), event(6, "e")];
        assert_eq!(position.rest().to_json(), r#"{"kinds":[1],"limit":4}"#);
        for event in &events[..3] {
            assert!(position.take(event.as_ref()));
        }
        assert_eq!(position.rest().to_json(), r#"{"kinds":[1],"until":8,"limit":3}"#);
        let taken = events.iter().map(|event| position.take(event.as_ref()));
        assert_eq!(taken.collect::<Vec<_>>(), [false, false, false, true, false]);
        assert!(position.is_over());
    }
}
