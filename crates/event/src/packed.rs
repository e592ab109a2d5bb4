//! An event in the one form it has everywhere: memory, disk, between processes.
//!
//! ```text
//! id 32 ‖ pubkey 32 ‖ sig 64 ‖ created_at 5 ‖ expiration 5 ‖ kind 2 ‖ tags length 4 ‖ tags ‖ content
//! ```
//! Integers are big-endian. Tags are compact JSON, content is the inside of a JSON string, both with
//! the escapes of NIP-01, so the id is a hash over slices, and JSON is written without escaping again.
//! It is a quarter smaller than the JSON text, and filters read it without parsing.

use std::fmt;
use std::ops::Range;

use crate::{EventId, Kind, Pubkey, Signature, Tags, Timestamp, hex};

const ID: Range<usize> = 0..32;
const PUBKEY: Range<usize> = 32..64;
const SIG: Range<usize> = 64..128;
const CREATED_AT: Range<usize> = 128..133;
const EXPIRATION: Range<usize> = 133..138;
const KIND: Range<usize> = 138..140;
const TAGS_LEN: Range<usize> = 140..144;
pub(crate) const HEADER: usize = 144;

/// An event that owns its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Event(Box<[u8]>);

/// An event in somebody else's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventRef<'a>(&'a [u8]);

/// The parts in front of an event's text.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) id: EventId,
    pub(crate) pubkey: Pubkey,
    pub(crate) sig: Signature,
    pub(crate) created_at: Timestamp,
    pub(crate) expiration: Option<Timestamp>,
    pub(crate) kind: Kind,
    pub(crate) tags_len: usize,
}

/// Bytes that are not a packed event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a packed event ({len} bytes)")]
pub struct NotAnEvent {
    /// How many bytes there were.
    pub len: usize,
}

impl Event {
    /// How many bytes an event has that has neither tags nor content.
    pub const MIN_BYTES: usize = HEADER + b"[]".len();

    /// Fills in the first [`HEADER`] bytes of `buffer`, which holds tags and content behind them.
    pub(crate) fn seal(mut buffer: Vec<u8>, header: &Header) -> Self {
        buffer[ID].copy_from_slice(header.id.as_bytes());
        buffer[PUBKEY].copy_from_slice(header.pubkey.as_bytes());
        buffer[SIG].copy_from_slice(header.sig.as_bytes());
        buffer[CREATED_AT].copy_from_slice(&five(header.created_at));
        buffer[EXPIRATION].copy_from_slice(&five(header.expiration.unwrap_or_default()));
        buffer[KIND].copy_from_slice(&header.kind.as_u16().to_be_bytes());
        let tags_len = u32::try_from(header.tags_len).expect("an event is smaller than 4 GiB");
        buffer[TAGS_LEN].copy_from_slice(&tags_len.to_be_bytes());
        Self(buffer.into_boxed_slice())
    }

    /// Borrows it.
    pub fn as_ref(&self) -> EventRef<'_> {
        EventRef(&self.0)
    }
}

impl<'a> EventRef<'a> {
    /// Takes packed bytes, checking the lengths that reading them relies on.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, NotAnEvent> {
        let wrong = NotAnEvent { len: bytes.len() };
        let tags_len =
            bytes.get(TAGS_LEN).and_then(|len| len.try_into().ok()).map(u32::from_be_bytes);
        let tags_len = usize::try_from(tags_len.ok_or(wrong)?).map_err(|_| wrong)?;
        if tags_len <= bytes.len() - HEADER { Ok(Self(bytes)) } else { Err(wrong) }
    }

    /// The packed bytes.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Copies it.
    pub fn to_event(self) -> Event {
        Event(self.0.into())
    }

    /// SHA-256 of the NIP-01 serialisation.
    pub fn id(self) -> EventId {
        EventId::new(self.array(ID))
    }

    /// The author.
    pub fn pubkey(self) -> Pubkey {
        Pubkey::new(self.array(PUBKEY))
    }

    /// The author's signature of the id.
    pub fn sig(self) -> Signature {
        Signature::new(self.array(SIG))
    }

    /// When its author says it was made.
    pub fn created_at(self) -> Timestamp {
        from_five(self.array(CREATED_AT))
    }

    /// When it is to be forgotten (NIP-40).
    pub fn expiration(self) -> Option<Timestamp> {
        Some(from_five(self.array(EXPIRATION))).filter(|at| at.as_secs() > 0)
    }

    /// Whether it is to be forgotten by `now` (NIP-40).
    pub fn is_expired(self, now: Timestamp) -> bool {
        self.expiration().is_some_and(|at| at <= now)
    }

    /// The kind.
    pub fn kind(self) -> Kind {
        Kind::new(u16::from_be_bytes(self.array(KIND)))
    }

    /// The tags.
    pub fn tags(self) -> Tags<'a> {
        Tags::new(std::str::from_utf8(self.raw_text().0).unwrap_or_default())
    }

    /// The content, as the inside of a JSON string.
    pub fn content_raw(self) -> &'a str {
        std::str::from_utf8(self.raw_text().1).unwrap_or_default()
    }

    /// The content.
    pub fn content(self) -> std::borrow::Cow<'a, str> {
        crate::tags::unescaped(self.content_raw())
    }

    /// The value of the `d` tag, empty if there is none (NIP-01).
    pub fn d_tag(self) -> &'a str {
        self.tags().value_of("d").unwrap_or_default()
    }

    /// Whether a tag of one letter has this first value, written as events write it.
    ///
    /// Tags are compact, and a quote inside a string is escaped: what a tag starts with is found
    /// nowhere else, and need not be parsed.
    pub fn has_tag(self, letter: u8, value: &str) -> bool {
        let tags = self.raw_text().0;
        let starts_here = |at: usize| {
            let tag = tags[at..].strip_prefix(&[b'[', b'"', letter, b'"', b',', b'"']);
            let rest = tag.and_then(|tag| tag.strip_prefix(value.as_bytes()));
            rest.is_some_and(|rest| rest.starts_with(b"\""))
        };
        memchr::memchr_iter(b'[', tags).any(starts_here)
    }

    /// Whether `pubkey` wrote it or is named in a `p` tag.
    pub fn is_party(self, pubkey: &Pubkey) -> bool {
        self.pubkey() == *pubkey || self.has_tag(b'p', &pubkey.to_string())
    }

    /// Appends the event as JSON, in NIP-01's order of fields.
    pub fn push_json(self, out: &mut Vec<u8>) {
        let mut digits = itoa::Buffer::new();
        out.reserve(self.0.len() + 2 * 128);
        out.extend_from_slice(b"{\"id\":\"");
        hex::push(out, &self.0[ID]);
        out.extend_from_slice(b"\",\"pubkey\":\"");
        hex::push(out, &self.0[PUBKEY]);
        out.extend_from_slice(b"\",\"created_at\":");
        out.extend_from_slice(digits.format(self.created_at().as_secs()).as_bytes());
        out.extend_from_slice(b",\"kind\":");
        out.extend_from_slice(digits.format(self.kind().as_u16()).as_bytes());
        out.extend_from_slice(b",\"tags\":");
        let (tags, content) = self.raw_text();
        out.extend_from_slice(tags);
        out.extend_from_slice(b",\"content\":\"");
        out.extend_from_slice(content);
        out.extend_from_slice(b"\",\"sig\":\"");
        hex::push(out, &self.0[SIG]);
        out.extend_from_slice(b"\"}");
    }

    /// The event as JSON.
    pub fn to_json(self) -> String {
        let mut out = Vec::new();
        self.push_json(&mut out);
        // Only what was damaged, or packed by others, is not UTF-8.
        String::from_utf8(out)
            .unwrap_or_else(|damaged| String::from_utf8_lossy(damaged.as_bytes()).into())
    }

    /// Tags and content as they stand, without looking whether they are UTF-8.
    pub(crate) fn raw_text(self) -> (&'a [u8], &'a [u8]) {
        self.0[HEADER..].split_at(self.tags_len())
    }

    fn tags_len(self) -> usize {
        u32::from_be_bytes(self.array(TAGS_LEN)) as usize
    }

    fn array<const N: usize>(self, range: Range<usize>) -> [u8; N] {
        *self.0[range].first_chunk().expect("the header has this field")
    }
}

impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

fn five(timestamp: Timestamp) -> [u8; 5] {
    let [_, _, _, rest @ ..] = timestamp.min(Timestamp::MAX).as_secs().to_be_bytes();
    rest
}

fn from_five([a, b, c, d, e]: [u8; 5]) -> Timestamp {
    Timestamp::from_secs(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]))
}
