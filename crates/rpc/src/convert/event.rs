//! Events field by field.

use std::borrow::Cow;

use event::{Event, EventId, EventRef, Kind, Parts, Pubkey, Signature, Timestamp, hex, unescaped};
use prost::bytes::Bytes;

use super::{Malformed, fixed, text};

/// The fields of an event on the wire.
pub(super) struct Fields<'a, T> {
    pub(super) id: &'a [u8],
    pub(super) pubkey: &'a [u8],
    pub(super) created_at: i64,
    pub(super) kind: u32,
    pub(super) tags: T,
    pub(super) content: &'a [u8],
    pub(super) sig: &'a [u8],
}

/// A time as the wire has it.
pub(super) fn seconds(timestamp: Timestamp) -> i64 {
    i64::try_from(timestamp.as_secs()).unwrap_or(i64::MAX)
}

/// The tags of an event, values in plain text.
pub(super) fn tags(event: EventRef<'_>) -> impl Iterator<Item = Vec<Bytes>> {
    let value = |value| Bytes::from(unescaped(value).into_owned());
    event.tags().iter().map(move |tag| tag.values().map(value).collect())
}

/// Checks the fields and puts the event together; its id and signature are the caller's business.
pub(super) fn assemble<'a>(
    fields: Fields<'a, impl Iterator<Item = &'a [Bytes]>>,
) -> Result<Event, Malformed> {
    let created_at = u64::try_from(fields.created_at).map(Timestamp::from_secs).ok();
    let created_at = created_at.filter(|at| *at <= Timestamp::MAX).ok_or_else(|| {
        let range = format!("{} is not between 0 and {}", fields.created_at, Timestamp::MAX);
        Malformed::new("created_at", range)
    })?;
    let kind = u16::try_from(fields.kind)
        .map_err(|_| Malformed::new("kind", format!("{} is more than 65535", fields.kind)))?;
    let tags: Vec<Vec<Cow<'_, str>>> = fields.tags.map(tag).collect::<Result<_, _>>()?;
    Ok(Event::from_parts(Parts {
        id: EventId::new(fixed("id", fields.id)?),
        pubkey: Pubkey::new(fixed("pubkey", fields.pubkey)?),
        created_at,
        kind: Kind::new(kind),
        tags,
        content: text("content", fields.content)?,
        sig: Signature::new(fixed("sig", fields.sig)?),
    }))
}

fn tag(values: &[Bytes]) -> Result<Vec<Cow<'_, str>>, Malformed> {
    let names_a_key = values.first().is_some_and(|name| matches!(&name[..], b"e" | b"p"));
    let values = values.iter().enumerate().map(|(at, value)| match packed_hex(value) {
        Some(digits) if at == 1 && names_a_key => Ok(digits.into()),
        _ => text("tags", value).map(Cow::from),
    });
    values.collect()
}

/// The 64 digits that the original packs into 32 bytes and a NUL in tags `e` and `p`.
pub(super) fn packed_hex(value: &[u8]) -> Option<String> {
    let raw: &[u8; 32] = value.strip_suffix(&[0])?.try_into().ok()?;
    Some(hex::encode(raw))
}
