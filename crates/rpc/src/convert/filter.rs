//! Filters field by field.

use std::collections::BTreeMap;

use event::{EventId, Filter, Kind, Pubkey, Timestamp, escaped, hex, unescaped};
use prost::bytes::Bytes;

use super::event::{packed_hex, seconds};
use super::{Malformed, fixed, text};

/// The fields of a filter on the wire. A list without values is one that is not there.
pub(super) struct Fields {
    pub(super) ids: Vec<Bytes>,
    pub(super) kinds: Vec<u32>,
    pub(super) authors: Vec<Bytes>,
    pub(super) tags: Vec<(String, Vec<Bytes>)>,
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
    pub(super) search: Option<Bytes>,
    pub(super) limit: Option<u32>,
}

/// What the latest time is when none is meant: the original writes 0 where a filter has no `until`.
const NO_UNTIL: i64 = 0;

/// Writes a filter. One that can match nothing gets a time range that matches nothing, since a list
/// without values would stand for any. The first second of 1970 cannot be left out: an `until` of 0
/// is written as 1.
pub(super) fn to_fields(filter: &Filter) -> Fields {
    let value = |value: &str| Bytes::from(unescaped(value).into_owned());
    let tags = filter.tags.iter().map(|(&letter, values)| {
        let values = values.iter().map(|each| value(each)).collect();
        (char::from(letter).to_string(), values)
    });
    let raw = |bytes: &[u8; 32]| Bytes::copy_from_slice(bytes);
    let mut fields = Fields {
        ids: filter.ids.iter().flatten().map(|id| raw(id.as_bytes())).collect(),
        kinds: filter.kinds.iter().flatten().map(|kind| kind.as_u16().into()).collect(),
        authors: filter.authors.iter().flatten().map(|key| raw(key.as_bytes())).collect(),
        tags: tags.collect(),
        since: filter.since.map(seconds),
        until: filter.until.map(|until| seconds(until).max(NO_UNTIL + 1)),
        search: filter.search.as_ref().map(|words| words.to_string().into()),
        limit: filter.limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX)),
    };
    if filter.is_empty() {
        (fields.since, fields.until) = (Some(2), Some(1));
    }
    fields
}

/// Checks the fields and makes a filter of them.
pub(super) fn from_fields(fields: Fields) -> Result<Filter, Malformed> {
    let kinds = fields.kinds.iter().map(|&kind| {
        let kind = u16::try_from(kind).map(Kind::new);
        kind.map_err(|_| Malformed::new("filter.kinds", "one is more than 65535"))
    });
    let id = |id: &Bytes| fixed("filter.ids", id).map(EventId::new);
    let author = |key: &Bytes| fixed("filter.authors", key).map(Pubkey::new);
    let mut tags = BTreeMap::new();
    for (key, values) in &fields.tags {
        let letter = letter(key)?;
        let values = values.iter().map(|value| tag_value(letter, key, value));
        // The same letter may be there with and without #.
        let all: &mut Vec<Box<str>> = tags.entry(letter).or_default();
        all.extend(values.collect::<Result<Vec<_>, _>>()?);
        all.sort_unstable();
        all.dedup();
    }
    Ok(Filter {
        ids: list(fields.ids.iter().map(id))?,
        kinds: list(kinds)?,
        authors: list(fields.authors.iter().map(author))?,
        tags,
        since: fields.since.map(|since| Timestamp::from_secs(since.try_into().unwrap_or(0))),
        until: fields.until.filter(|until| *until != NO_UNTIL).map(until).transpose()?,
        search: match &fields.search {
            Some(words) => Some(text("filter.search", words)?.into()),
            None => None,
        },
        limit: fields.limit.map(u64::from),
    })
}

fn list<T: Ord>(
    values: impl Iterator<Item = Result<T, Malformed>>,
) -> Result<Option<Vec<T>>, Malformed> {
    let mut values: Vec<T> = values.collect::<Result<_, _>>()?;
    values.sort_unstable();
    values.dedup();
    Ok(Some(values).filter(|values| !values.is_empty()))
}

fn until(until: i64) -> Result<Timestamp, Malformed> {
    let secs = u64::try_from(until)
        .map_err(|_| Malformed::new("filter.until", format!("{until} is before 1970")))?;
    Ok(Timestamp::from_secs(secs))
}

fn letter(key: &str) -> Result<u8, Malformed> {
    match key.strip_prefix('#').unwrap_or(key).as_bytes() {
        &[letter] if letter.is_ascii_alphabetic() => Ok(letter),
        _ => {
            let reason = "only tags of one letter can be asked for";
            Err(Malformed::new(format!("filter.tags[{key:?}]"), reason))
        }
    }
}

/// A value as events write it; ids and keys may come as bytes.
fn tag_value(letter: u8, key: &str, value: &[u8]) -> Result<Box<str>, Malformed> {
    let is_key = matches!(letter, b'e' | b'p');
    if is_key && let Some(digits) = packed_hex(value) {
        return Ok(digits.into());
    }
    if is_key && value.len() == 32 {
        return Ok(hex::encode(value).into());
    }
    Ok(escaped(text(format!("filter.tags[{key:?}]"), value)?).into())
}
