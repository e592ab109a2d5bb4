//! Filters (NIP-01): what a client asks for, and whether an event is that.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::json::{JsonError, Scanner, push_canonical, unescaped};
use crate::{EventId, EventRef, InvalidHex, Kind, Pubkey, Timestamp};

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

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// Not JSON, or not of the right type.
    #[error("filter: {field}: {error}")]
    Json {
        /// The field, or "filter".
        field: String,
        /// What was expected where.
        error: JsonError,
    },
    /// Not hex of the right length.
    #[error("filter: {field}[{index}]: {error}")]
    Hex {
        /// The field.
        field: &'static str,
        /// Which value of its list.
        index: usize,
        /// How many digits were expected.
        error: InvalidHex,
    },
    /// A tag name of more than one letter is in no index.
    #[error("filter: \"{0}\": only tags of one letter can be asked for")]
    TagName(String),
    /// A kind is above 65535.
    #[error("filter: kinds: {0} is more than 65535")]
    Kind(u64),
}

impl Filter {
    /// Reads a filter from JSON. Fields it does not know are passed over.
    pub fn from_json(text: &str) -> Result<Self, InvalidFilter> {
        let mut scanner = Scanner::new(text);
        let mut filter = Self::default();
        let json = |field: &str| {
            let field = field.to_owned();
            move |error| InvalidFilter::Json { field, error }
        };
        scanner.expect(b'{', "an object").map_err(json("filter"))?;
        let mut more = !scanner.eat(b'}');
        while more {
            let key = scanner.string().map_err(json("filter"))?;
            scanner.expect(b':', "a colon").map_err(json("filter"))?;
            match key {
                "ids" => filter.ids = Some(hex_list(&mut scanner, "ids", EventId::from_hex)?),
                "authors" => {
                    filter.authors = Some(hex_list(&mut scanner, "authors", Pubkey::from_hex)?)
                }
                "kinds" => filter.kinds = Some(kinds(&mut scanner)?),
                "since" => filter.since = Some(timestamp(&mut scanner, key)?),
                "until" => filter.until = Some(timestamp(&mut scanner, key)?),
                "limit" => filter.limit = Some(scanner.unsigned().map_err(json(key))?),
                "search" => {
                    let raw = scanner.string().map_err(json(key))?;
                    filter.search = Some(unescaped(raw).into());
                }
                _ => match key.strip_prefix('#').map(str::as_bytes) {
                    Some(&[letter]) if letter.is_ascii_alphabetic() => {
                        let values = strings(&mut scanner).map_err(json(key))?;
                        filter.tags.insert(letter, sorted(values));
                    }
                    Some(_) => return Err(InvalidFilter::TagName(key.to_owned())),
                    None => {
                        scanner.value().map_err(json(key))?;
                    }
                },
            }
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "a comma or the end of the filter").map_err(json("filter"))?;
            }
        }
        scanner.expect_end().map_err(json("filter"))?;
        Ok(filter)
    }

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

    /// Appends the filter as JSON.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        let mut fields: Vec<(String, String)> = Vec::new();
        let quoted = |values: Vec<String>| format!("[{}]", values.join(","));
        let hex = |text: String| format!("\"{text}\"");
        if let Some(ids) = &self.ids {
            fields.push(("ids".into(), quoted(ids.iter().map(|id| hex(id.to_string())).collect())));
        }
        if let Some(authors) = &self.authors {
            fields.push((
                "authors".into(),
                quoted(authors.iter().map(|key| hex(key.to_string())).collect()),
            ));
        }
        if let Some(kinds) = &self.kinds {
            fields.push(("kinds".into(), quoted(kinds.iter().map(Kind::to_string).collect())));
        }
        for (&letter, values) in &self.tags {
            let name = format!("#{}", char::from(letter));
            fields
                .push((name, quoted(values.iter().map(|value| hex(value.to_string())).collect())));
        }
        for (name, value) in [("since", self.since), ("until", self.until)] {
            fields.extend(value.map(|at| (name.into(), at.to_string())));
        }
        fields.extend(self.limit.map(|limit| ("limit".into(), limit.to_string())));
        if let Some(search) = &self.search {
            let mut raw = Vec::new();
            crate::json::push_text(&mut raw, search);
            fields.push(("search".into(), hex(String::from_utf8_lossy(&raw).into_owned())));
        }
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        out.extend_from_slice(format!("{{{}}}", fields.join(",")).as_bytes());
    }

    /// The filter as JSON.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        self.push_json(&mut out);
        String::from_utf8(out).expect("made of strings")
    }
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        Self::from_json(text)
    }
}

fn list<'a, T>(
    scanner: &mut Scanner<'a>,
    mut element: impl FnMut(&mut Scanner<'a>) -> Result<T, JsonError>,
) -> Result<Vec<T>, JsonError> {
    let mut values = Vec::new();
    scanner.expect(b'[', "a list")?;
    if !scanner.eat(b']') {
        loop {
            values.push(element(scanner)?);
            if !scanner.eat(b',') {
                break;
            }
        }
        scanner.expect(b']', "a comma or the end of the list")?;
    }
    Ok(values)
}

fn hex_list<T: Ord>(
    scanner: &mut Scanner<'_>,
    field: &'static str,
    from_hex: fn(&[u8]) -> Result<T, InvalidHex>,
) -> Result<Vec<T>, InvalidFilter> {
    let digits = list(scanner, Scanner::string);
    let digits = digits.map_err(|error| InvalidFilter::Json { field: field.into(), error })?;
    let values = digits.iter().enumerate().map(|(index, digits)| {
        from_hex(digits.as_bytes()).map_err(|error| InvalidFilter::Hex { field, index, error })
    });
    values.collect::<Result<_, _>>().map(sorted)
}

fn kinds(scanner: &mut Scanner<'_>) -> Result<Vec<Kind>, InvalidFilter> {
    let numbers = list(scanner, Scanner::unsigned);
    let numbers = numbers.map_err(|error| InvalidFilter::Json { field: "kinds".into(), error })?;
    let kinds = numbers.into_iter().map(|number| {
        u16::try_from(number).map(Kind::new).map_err(|_| InvalidFilter::Kind(number))
    });
    kinds.collect::<Result<_, _>>().map(sorted)
}

fn strings(scanner: &mut Scanner<'_>) -> Result<Vec<Box<str>>, JsonError> {
    list(scanner, |scanner| {
        let raw = scanner.string()?;
        let mut canonical = Vec::with_capacity(raw.len());
        push_canonical(&mut canonical, raw);
        Ok(String::from_utf8(canonical).expect("rewritten from UTF-8").into())
    })
}

fn timestamp(scanner: &mut Scanner<'_>, field: &str) -> Result<Timestamp, InvalidFilter> {
    let secs =
        scanner.unsigned().map_err(|error| InvalidFilter::Json { field: field.into(), error })?;
    Ok(Timestamp::from_secs(secs))
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
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

    #[test]
    fn each_wrong_field_is_named() {
        let cases = [
            (r#"{"ids":["ab"]}"#, "filter: ids[0]: expected 64 lower-case hex digits"),
            (r#"{"authors":"x"}"#, "filter: authors: expected a list at byte 11"),
            (r#"{"kinds":[70000]}"#, "filter: kinds: 70000 is more than 65535"),
            (r#"{"kinds":["1"]}"#, "filter: kinds: expected an unsigned integer at byte 10"),
            (r#"{"since":-1}"#, "filter: since: expected an unsigned integer at byte 9"),
            (r##"{"#tt":["x"]}"##, "filter: \"#tt\": only tags of one letter can be asked for"),
            (r##"{"#t":[1]}"##, "filter: #t: expected a string at byte 7"),
            ("[]", "filter: filter: expected an object at byte 0"),
        ];
        for (text, message) in cases {
            assert_eq!(Filter::from_json(text).unwrap_err().to_string(), message);
        }
    }
}
