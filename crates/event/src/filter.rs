//! Filters (NIP-01): what a client asks for, and whether an event is that.

mod json;

use std::collections::BTreeMap;

use crate::{EventId, EventRef, Kind, Pubkey, Timestamp};

pub use json::InvalidFilter;

/// A filter: every part that is there must hold; within a list one value must.
///
/// A list that is there but empty matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Ids, sorted.
    pub ids: Option<Vec<EventId>>,
    /// Authors, sorted.
    pub authors: Option<Vec<Pubkey>>,
    /// Kinds, sorted.
    pub kinds: Option<Vec<Kind>>,
    /// For a tag of one letter its values, sorted, written as events write them (NIP-01 escapes).
    pub tags: BTreeMap<u8, Vec<Box<str>>>,
    /// The earliest `created_at`.
    pub since: Option<Timestamp>,
    /// The latest `created_at`.
    pub until: Option<Timestamp>,
    /// How many events at most, the newest; it does not bear on matching.
    pub limit: Option<u64>,
    /// Words that must all be in the content, in any case (NIP-50).
    pub search: Option<Box<str>>,
}

impl Filter {
    /// Whether `event` is what the filter asks for.
    pub fn matches(&self, event: EventRef<'_>) -> bool {
        self.matches_time(event.created_at())
            && self.kinds.as_ref().is_none_or(|kinds| kinds.binary_search(&event.kind()).is_ok())
            && self
                .authors
                .as_ref()
                .is_none_or(|authors| authors.binary_search(&event.pubkey()).is_ok())
            && self.ids.as_ref().is_none_or(|ids| ids.binary_search(&event.id()).is_ok())
            && self.matches_tags(event)
            && self.matches_search(event)
    }

    /// Whether `created_at` is between since and until, both included.
    pub fn matches_time(&self, created_at: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= created_at)
            && self.until.is_none_or(|until| created_at <= until)
    }

    fn matches_tags(&self, event: EventRef<'_>) -> bool {
        self.tags.iter().all(|(&letter, values)| match &values[..] {
            [value] => event.has_tag(letter, value),
            values => {
                let is_asked =
                    |value: &str| values.binary_search_by(|asked| (**asked).cmp(value)).is_ok();
                event.tags().indexed().any(|(name, value)| name == letter && is_asked(value))
            }
        })
    }

    fn matches_search(&self, event: EventRef<'_>) -> bool {
        let Some(search) = &self.search else { return true };
        let content = event.content().to_lowercase();
        let mut words = search.split_whitespace().filter(|word| !word.contains(':'));
        words.all(|word| content.contains(&word.to_lowercase()))
    }

    /// Whether nothing can match: a list is empty, or the time range is.
    pub fn is_empty(&self) -> bool {
        fn empty<T>(list: Option<&Vec<T>>) -> bool {
            list.is_some_and(Vec::is_empty)
        }
        empty(self.ids.as_ref())
            || empty(self.authors.as_ref())
            || empty(self.kinds.as_ref())
            || self.tags.values().any(Vec::is_empty)
            || matches!((self.since, self.until), (Some(since), Some(until)) if since > until)
    }

    /// Whether only kinds and times are asked for.
    pub fn is_kinds_and_time(&self) -> bool {
        self.ids.is_none()
            && self.authors.is_none()
            && self.tags.is_empty()
            && self.search.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Event, Keys};

    fn event(kind: u16, created_at: u64, tags: &[[&str; 2]]) -> Event {
        let tags = tags.iter().map(|tag| tag.map(String::from).to_vec()).collect();
        let created_at = Timestamp::from_secs(created_at);
        let draft =
            Draft { created_at, kind: Kind::new(kind), tags, content: "Good Morning".into() };
        Keys::from_secret([7; 32]).unwrap().sign(&draft)
    }

    #[test]
    fn every_part_must_hold_and_one_value_of_each_list() {
        let event = event(1, 100, &[["t", "a\"b"], ["p", "x"], ["tt", "c"]]);
        let (id, author) = (event.as_ref().id(), event.as_ref().pubkey());
        let none = "0".repeat(64);
        let cases = [
            ("{}".to_owned(), true),
            (format!(r#"{{"ids":["{none}","{id}"]}}"#), true),
            (format!(r#"{{"ids":["{none}"]}}"#), false),
            (format!(r#"{{"authors":["{author}"],"kinds":[0,1]}}"#), true),
            (format!(r#"{{"authors":["{author}"],"kinds":[0]}}"#), false),
            (r##"{"#t":["a\u0022b"],"#p":["y","x"]}"##.into(), true),
            (r##"{"#t":["a\u0022b"],"#p":["y"]}"##.into(), false),
            (r#"{"since":100,"until":100,"limit":0}"#.into(), true),
            (r#"{"since":101}"#.into(), false),
            (r#"{"until":99}"#.into(), false),
            (r#"{"kinds":[]}"#.into(), false),
            (r#"{"search":"MORNING good language:en"}"#.into(), true),
            (r#"{"search":"evening"}"#.into(), false),
            (r#"{"_new":{"a":[1]}}"#.into(), true),
        ];
        for (text, expected) in cases {
            let filter = Filter::from_json(&text).unwrap();
            assert_eq!(filter.matches(event.as_ref()), expected, "{text}");
            assert_eq!(Filter::from_json(&filter.to_json()).unwrap(), filter);
        }
    }
}
