//! Filters as JSON, read and written.

use std::str::FromStr;

use super::Filter;
use crate::json::{JsonError, Scanner, push_canonical, push_text, unescaped};
use crate::{EventId, InvalidHex, Kind, Pubkey, Timestamp};

/// Why a text is not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// Not a JSON object.
    #[error("filter: {0}")]
    Json(#[from] JsonError),
    /// A field is not of the right type.
    #[error("filter: {field}: {error}")]
    Field {
        /// The field.
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
    /// A field is there twice.
    #[error("filter: {0} is there twice")]
    Duplicate(String),
}

impl Filter {
    /// Reads a filter from JSON. Fields it does not know are passed over.
    pub fn from_json(text: &str) -> Result<Self, InvalidFilter> {
        let mut scanner = Scanner::new(text);
        let mut filter = Self::default();
        scanner.expect(b'{', "an object")?;
        let mut more = !scanner.eat(b'}');
        while more {
            let name = unescaped(scanner.string()?);
            scanner.expect(b':', "a colon")?;
            filter.read_field(&name, &mut scanner)?;
            more = scanner.eat(b',');
            if !more {
                scanner.expect(b'}', "a comma or the end of the filter")?;
            }
        }
        scanner.expect_end()?;
        Ok(filter)
    }

    /// Reads the value of a field.
    fn read_field(&mut self, name: &str, scanner: &mut Scanner<'_>) -> Result<(), InvalidFilter> {
        let wrong = |error| InvalidFilter::Field { field: name.to_owned(), error };
        let is_first = match name {
            "ids" => put(&mut self.ids, hex_list(scanner, "ids", EventId::from_hex)?),
            "authors" => put(&mut self.authors, hex_list(scanner, "authors", Pubkey::from_hex)?),
            "kinds" => put(&mut self.kinds, kinds(scanner)?),
            "since" => put(&mut self.since, timestamp(scanner).map_err(wrong)?),
            "until" => put(&mut self.until, timestamp(scanner).map_err(wrong)?),
            "limit" => put(&mut self.limit, scanner.unsigned().map_err(wrong)?),
            "search" => {
                let words = unescaped(scanner.string().map_err(wrong)?);
                put(&mut self.search, words.into())
            }
            _ => match name.strip_prefix('#').map(str::as_bytes) {
                Some(&[letter]) if letter.is_ascii_alphabetic() => {
                    let values = strings(scanner).map_err(wrong)?;
                    self.tags.insert(letter, sorted(values)).is_none()
                }
                Some(_) => return Err(InvalidFilter::TagName(name.to_owned())),
                None => {
                    scanner.value().map_err(wrong)?;
                    true
                }
            },
        };
        if is_first { Ok(()) } else { Err(InvalidFilter::Duplicate(name.to_owned())) }
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
            push_text(&mut raw, search);
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
    let digits = digits.map_err(|error| InvalidFilter::Field { field: field.into(), error })?;
    let values = digits.iter().enumerate().map(|(index, digits)| {
        from_hex(digits.as_bytes()).map_err(|error| InvalidFilter::Hex { field, index, error })
    });
    values.collect::<Result<_, _>>().map(sorted)
}

fn kinds(scanner: &mut Scanner<'_>) -> Result<Vec<Kind>, InvalidFilter> {
    let numbers = list(scanner, Scanner::unsigned);
    let numbers = numbers.map_err(|error| InvalidFilter::Field { field: "kinds".into(), error })?;
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

fn timestamp(scanner: &mut Scanner<'_>) -> Result<Timestamp, JsonError> {
    scanner.unsigned().map(Timestamp::from_secs)
}

/// Fills a field in; `false` if it was filled in before.
fn put<T>(field: &mut Option<T>, value: T) -> bool {
    field.replace(value).is_none()
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_be_written_with_escapes() {
        let filter = Filter::from_json(r#"{"\u006binds":[0]}"#).unwrap();
        assert_eq!(filter.kinds, Some(vec![Kind::new(0)]));
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
            (r#"{"kinds":[1],"kinds":[0]}"#, "filter: kinds is there twice"),
            (r##"{"#t":["x"],"\u0023t":["y"]}"##, "filter: #t is there twice"),
            (r#"{"kinds":[1],}"#, "filter: expected a string at byte 13"),
            ("[]", "filter: expected an object at byte 0"),
        ];
        for (text, message) in cases {
            assert_eq!(Filter::from_json(text).unwrap_err().to_string(), message);
        }
    }
}
