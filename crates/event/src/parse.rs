//! Reading an event from JSON (NIP-01): one pass, strict, straight into the packed form.

use crate::json::{JsonError, Scanner, push_canonical};
use crate::packed::{HEADER, Header};
use crate::tags::unescaped;
use crate::{Event, EventId, InvalidHex, Kind, Pubkey, Signature, Tags, Timestamp};

/// Why a text is not an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEvent {
    /// Not JSON, or not of the right type.
    #[error("{field}: {error}")]
    Json {
        /// The field, or "event".
        field: &'static str,
        /// What was expected where.
        error: JsonError,
    },
    /// Not hex of the right length.
    #[error("{field}: {error}")]
    Hex {
        /// The field.
        field: &'static str,
        /// How many digits were expected.
        error: InvalidHex,
    },
    /// A number is out of range.
    #[error("{field}: {value} is more than {max}")]
    TooLarge {
        /// The field.
        field: &'static str,
        /// The number found.
        value: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A field is not there.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field is there twice.
    #[error("{0} is there twice")]
    Duplicate(&'static str),
}

impl Event {
    /// Reads an event from JSON. Nothing but the event may stand in `text`.
    ///
    /// The id is taken as it is claimed and the signature is not checked: see [`crate::Verifier`].
    pub fn from_json(text: &str) -> Result<Self, InvalidEvent> {
        let mut scanner = Scanner::new(text);
        let event = parse(&mut scanner, text.len())?;
        scanner.expect_end().map_err(|error| InvalidEvent::Json { field: "event", error })?;
        Ok(event)
    }
}

/// Reads the event that comes next; `room` is about how long it is.
pub(crate) fn parse(scanner: &mut Scanner<'_>, room: usize) -> Result<Event, InvalidEvent> {
    let json = |field| move |error| InvalidEvent::Json { field, error };
    let hex = |field| move |error| InvalidEvent::Hex { field, error };
    let (mut id, mut pubkey, mut sig) = (None, None, None);
    let (mut created_at, mut kind) = (None, None);
    let (mut tags, mut content) = (None, None);
    let mut buffer = Vec::with_capacity(room.max(HEADER));
    buffer.resize(HEADER, 0);

    scanner.expect(b'{', "an object").map_err(json("event"))?;
    let mut more = !scanner.eat(b'}');
    while more {
        let key = scanner.string().map_err(json("event"))?;
        scanner.expect(b':', "a colon").map_err(json("event"))?;
        match key {
            "id" => {
                let digits = scanner.string().map_err(json("id"))?.as_bytes();
                once(&mut id, EventId::from_hex(digits).map_err(hex("id"))?, "id")?;
            }
            "pubkey" => {
                let digits = scanner.string().map_err(json("pubkey"))?.as_bytes();
                once(&mut pubkey, Pubkey::from_hex(digits).map_err(hex("pubkey"))?, "pubkey")?;
            }
            "sig" => {
                let digits = scanner.string().map_err(json("sig"))?.as_bytes();
                once(&mut sig, Signature::from_hex(digits).map_err(hex("sig"))?, "sig")?;
            }
            "created_at" => {
                let value = number(scanner, "created_at", Timestamp::MAX.as_secs())?;
                once(&mut created_at, Timestamp::from_secs(value), "created_at")?;
            }
            "kind" => {
                let value = number(scanner, "kind", u16::MAX.into())?;
                let value = u16::try_from(value).expect("checked against the largest kind");
                once(&mut kind, Kind::new(value), "kind")?;
            }
            "tags" => {
                let start = buffer.len();
                push_tags(scanner, &mut buffer).map_err(json("tags"))?;
                once(&mut tags, start..buffer.len(), "tags")?;
            }
            "content" => {
                let start = buffer.len();
                push_canonical(&mut buffer, scanner.string().map_err(json("content"))?);
                once(&mut content, start..buffer.len(), "content")?;
            }
            _ => {
                scanner.value().map_err(json("event"))?;
            }
        }
        more = scanner.eat(b',');
        if !more {
            scanner.expect(b'}', "a comma or the end of the event").map_err(json("event"))?;
        }
    }

    let tags = tags.ok_or(InvalidEvent::Missing("tags"))?;
    let content = content.ok_or(InvalidEvent::Missing("content"))?;
    if content.start < tags.start {
        buffer[HEADER..].rotate_left(content.len());
    }
    let text = std::str::from_utf8(&buffer[HEADER..HEADER + tags.len()]).unwrap_or_default();
    let header = Header {
        id: id.ok_or(InvalidEvent::Missing("id"))?,
        pubkey: pubkey.ok_or(InvalidEvent::Missing("pubkey"))?,
        sig: sig.ok_or(InvalidEvent::Missing("sig"))?,
        created_at: created_at.ok_or(InvalidEvent::Missing("created_at"))?,
        expiration: expiration(Tags::new(text)),
        kind: kind.ok_or(InvalidEvent::Missing("kind"))?,
        tags_len: tags.len(),
    };
    Ok(Event::seal(buffer, &header))
}

fn once<T>(field: &mut Option<T>, value: T, name: &'static str) -> Result<(), InvalidEvent> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(InvalidEvent::Duplicate(name)),
    }
}

fn number(scanner: &mut Scanner<'_>, field: &'static str, max: u64) -> Result<u64, InvalidEvent> {
    let value = scanner.unsigned().map_err(|error| InvalidEvent::Json { field, error })?;
    if value <= max { Ok(value) } else { Err(InvalidEvent::TooLarge { field, value, max }) }
}

/// Copies the list of lists of strings that comes next, compact, with the escapes of NIP-01.
pub(crate) fn push_tags(scanner: &mut Scanner<'_>, out: &mut Vec<u8>) -> Result<(), JsonError> {
    push_list(scanner, out, |scanner, out| {
        push_list(scanner, out, |scanner, out| {
            let raw = scanner.string()?;
            out.push(b'"');
            push_canonical(out, raw);
            out.push(b'"');
            Ok(())
        })
    })
}

fn push_list(
    scanner: &mut Scanner<'_>,
    out: &mut Vec<u8>,
    element: impl Fn(&mut Scanner<'_>, &mut Vec<u8>) -> Result<(), JsonError>,
) -> Result<(), JsonError> {
    scanner.expect(b'[', "a list")?;
    out.push(b'[');
    if !scanner.eat(b']') {
        loop {
            element(scanner, out)?;
            if !scanner.eat(b',') {
                break;
            }
            out.push(b',');
        }
        scanner.expect(b']', "a comma or the end of the list")?;
    }
    out.push(b']');
    Ok(())
}

/// NIP-40. A value that is no number is no expiration.
pub(crate) fn expiration(tags: Tags<'_>) -> Option<Timestamp> {
    if !tags.as_json().contains("[\"expiration\"") {
        return None;
    }
    let secs = unescaped(tags.value_of("expiration")?).parse::<u64>().ok()?;
    Some(Timestamp::from_secs(secs.max(1)).min(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4376c65d2f232afbe9b882a35baa4f6fe8667c4e684749af565f981833ed6a65";
    const KEY: &str = "6e468422dfb74a5738702a8823b9b28168abab8655faacb6853cd0ee15deee93";

    fn json(tags: &str, content: &str) -> String {
        let sig = "00".repeat(64);
        format!(
            r#"{{"id":"{ID}","pubkey":"{KEY}","created_at":1673347337,"kind":1,"tags":{tags},"content":"{content}","sig":"{sig}"}}"#
        )
    }

    #[test]
    fn compact_events_come_back_unchanged() {
        let text =
            json(r#"[["e","a\n"],[],["expiration","1700000000"]]"#, r#"walled \"gardens\" 😀"#);
        let event = Event::from_json(&text).unwrap();
        assert_eq!(event.as_ref().to_json(), text);
        assert_eq!(event.as_ref().expiration(), Some(Timestamp::from_secs(1_700_000_000)));
        assert_eq!(event.as_ref().content(), "walled \"gardens\" 😀");
    }

    #[test]
    fn order_white_space_and_unknown_fields_do_not_matter() {
        let sig = "00".repeat(64);
        let text = format!(
            "{{ \"content\" : \"x\\u0041\",\n\"extra\":{{\"a\":[1,2]}}, \"sig\":\"{sig}\",\"kind\":1,\"tags\":[ [\"t\" , \"b\"] ],\"created_at\":1673347337,\"pubkey\":\"{KEY}\",\"id\":\"{ID}\" }}"
        );
        let event = Event::from_json(&text).unwrap();
        assert_eq!(event.as_ref().to_json(), json(r#"[["t","b"]]"#, "xA"));
    }

    #[test]
    fn each_wrong_field_is_named() {
        let good = json("[]", "");
        let cases = [
            (good.replace(ID, &ID.to_uppercase()), "id: expected 64 lower-case hex digits"),
            (good.replace(KEY, &KEY[1..]), "pubkey: expected 64 lower-case hex digits"),
            (
                good.replace("1673347337", "1.5"),
                "created_at: expected an unsigned integer at byte 162",
            ),
            (
                good.replace("1673347337", "1673347337000"),
                "created_at: 1673347337000 is more than 1099511627775",
            ),
            (good.replace("\"kind\":1", "\"kind\":65536"), "kind: 65536 is more than 65535"),
            (good.replace("[]", "[[1]]"), "tags: expected a string at byte 191"),
            (good.replace(",\"kind\":1", ""), "kind is missing"),
            (good.replace("\"kind\":1", "\"kind\":1,\"kind\":1"), "kind is there twice"),
            (format!("{good}x"), "event: expected end of text at byte 342"),
            ("[]".into(), "event: expected an object at byte 0"),
        ];
        for (text, message) in cases {
            assert_eq!(Event::from_json(&text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
