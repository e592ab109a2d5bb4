//! Putting an event together from its fields, as protocols other than NIP-01's JSON carry them.

use crate::packed::{HEADER, Header};
use crate::parse::expiration;
use crate::tags::push_escaped;
use crate::{Event, EventId, Kind, Pubkey, Signature, Tags, Timestamp};

/// The fields of an event; text is what it stands for, without escapes.
#[derive(Clone, Debug)]
pub struct Parts<'a, T> {
    /// The id as it is claimed.
    pub id: EventId,
    /// The author.
    pub pubkey: Pubkey,
    /// When its author says it was made; [`Timestamp::MAX`] at most.
    pub created_at: Timestamp,
    /// The kind.
    pub kind: Kind,
    /// The tags in order, each a list of strings.
    pub tags: T,
    /// The content.
    pub content: &'a str,
    /// The signature as it is claimed.
    pub sig: Signature,
}

impl Event {
    /// Puts an event together; neither id nor signature are checked: see [`crate::Verifier`].
    pub fn from_parts<T, V, S>(parts: Parts<'_, T>) -> Self
    where
        T: IntoIterator<Item = V>,
        V: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut buffer = Vec::with_capacity(HEADER + parts.content.len() + 256);
        buffer.resize(HEADER, 0);
        push_list(&mut buffer, parts.tags, |buffer, tag| {
            push_list(buffer, tag, |buffer, value| {
                buffer.push(b'"');
                push_escaped(buffer, value.as_ref());
                buffer.push(b'"');
            });
        });
        let tags_len = buffer.len() - HEADER;
        push_escaped(&mut buffer, parts.content);
        let tags = std::str::from_utf8(&buffer[HEADER..HEADER + tags_len]).unwrap_or_default();
        let header = Header {
            id: parts.id,
            pubkey: parts.pubkey,
            sig: parts.sig,
            created_at: parts.created_at.min(Timestamp::MAX),
            expiration: expiration(Tags::new(tags)),
            kind: parts.kind,
            tags_len,
        };
        Self::seal(buffer, &header)
    }
}

fn push_list<T>(
    buffer: &mut Vec<u8>,
    list: impl IntoIterator<Item = T>,
    push: impl Fn(&mut Vec<u8>, T),
) {
    buffer.push(b'[');
    for (at, item) in list.into_iter().enumerate() {
        if at > 0 {
            buffer.push(b',');
        }
        push(buffer, item);
    }
    buffer.push(b']');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Draft, Keys, unescaped};

    #[test]
    fn an_event_taken_apart_comes_together_unchanged() {
        let tags = vec![
            vec!["e".into(), "\"quoted\"\n".into(), String::new()],
            vec![],
            vec!["expiration".into(), "1700000000".into()],
        ];
        let created_at = Timestamp::from_secs(1_600_000_000);
        let content = "back\\slash \u{1}é\t".to_owned();
        let event = Keys::from_secret([7; 32]).unwrap().sign(&Draft {
            created_at,
            kind: Kind::new(1),
            tags,
            content,
        });
        let whole = event.as_ref();
        let tags = whole.tags().iter().map(|tag| tag.values().map(unescaped).collect::<Vec<_>>());
        let again = Event::from_parts(Parts {
            id: whole.id(),
            pubkey: whole.pubkey(),
            created_at,
            kind: whole.kind(),
            tags,
            content: &whole.content(),
            sig: whole.sig(),
        });
        assert_eq!(again, event);
        assert_eq!(again.as_ref().expiration(), Some(Timestamp::from_secs(1_700_000_000)));
    }
}
