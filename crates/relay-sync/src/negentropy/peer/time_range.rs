//! Spans of time, for peers that refuse a set by its size.

use event::{Filter, Timestamp};

/// Seconds that a reconciliation covers, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeRange {
    since: u64,
    until: u64,
    /// Whether the filter's own bounds are meant, which some relays answer faster.
    is_whole: bool,
}

impl TimeRange {
    /// All that the filter covers.
    pub(super) fn of(filter: &Filter) -> Self {
        let since = filter.since.unwrap_or_default().as_secs();
        let until = filter.until.map_or(u64::MAX, Timestamp::as_secs).min(Timestamp::MAX.as_secs());
        Self { since, until, is_whole: true }
    }

    /// The older and the newer half; `None` for a single second.
    ///
    /// What lies ahead of `now` is cut off first: there is hardly anything.
    pub(super) fn halves(self, now: Timestamp) -> Option<(Self, Self)> {
        let Self { since, until, .. } = self;
        let now = now.as_secs();
        let last_of_older =
            if since < now && now < until { now } else { since + until.checked_sub(since)? / 2 };
        let older = Self { since, until: last_of_older, is_whole: false };
        let newer = Self { since: last_of_older + 1, until, is_whole: false };
        (newer.since <= newer.until).then_some((older, newer))
    }

    /// The filter, within this range.
    pub(super) fn narrow(self, filter: &Filter) -> Filter {
        if self.is_whole {
            return filter.clone();
        }
        let at = |secs| Some(Timestamp::from_secs(secs));
        Filter { since: at(self.since), until: at(self.until), ..filter.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(since: u64, until: u64) -> TimeRange {
        TimeRange { since, until, is_whole: false }
    }

    fn halves(of: TimeRange, now: u64) -> Option<(TimeRange, TimeRange)> {
        of.halves(Timestamp::from_secs(now))
    }

    #[test]
    fn halves_meet_and_miss_nothing() {
        assert_eq!(halves(range(0, 9), 100), Some((range(0, 4), range(5, 9))));
        assert_eq!(halves(range(4, 5), 100), Some((range(4, 4), range(5, 5))));
        assert_eq!(halves(range(5, 5), 100), None);
        assert_eq!(halves(range(6, 5), 100), None);
    }

    #[test]
    fn the_future_is_cut_off_first() {
        let whole = TimeRange::of(&Filter::default());
        let last = Timestamp::MAX.as_secs();
        assert_eq!(halves(whole, 1000), Some((range(0, 1000), range(1001, last))));
        assert_eq!(halves(range(0, 1000), 1000), Some((range(0, 500), range(501, 1000))));
    }

    #[test]
    fn a_range_that_was_not_divided_leaves_the_filter_alone() {
        let filter: Filter = r#"{"kinds":[1],"since":7}"#.parse().unwrap();
        let whole = TimeRange::of(&filter);
        assert_eq!(whole.narrow(&filter), filter);
        let (older, _) = halves(whole, 107).unwrap();
        assert_eq!(older.narrow(&filter).to_json(), r#"{"kinds":[1],"since":7,"until":107}"#);
    }
}
