//! What clients say.

use std::fmt;

use crate::json::{JsonError, Scanner, push_canonical};
use crate::{Event, Filter, InvalidEvent, InvalidFilter, parse};

/// The name a client gives a subscription, 1 to 64 characters (NIP-01); kept as JSON writes it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(Box<str>);

impl SubscriptionId {
    /// The most characters NIP-01 allows.
    pub const MAX_CHARS: usize = 64;

    /// Takes a name, unescaped.
    pub fn new(name: &str) -> Option<Self> {
        let mut raw = Vec::new();
        crate::json::push_text(&mut raw, name);
        let raw = String::from_utf8(raw).ok()?;
        (1..=Self::MAX_CHARS).contains(&name.chars().count()).then(|| Self(raw.into()))
    }

    fn from_raw(raw: &str) -> Option<Self> {
        let mut canonical = Vec::with_capacity(raw.len());
        push_canonical(&mut canonical, raw);
        let canonical = String::from_utf8(canonical).ok()?;
        let chars = crate::json::unescaped(&canonical).chars().count();
        (1..=Self::MAX_CHARS).contains(&chars).then(|| Self(canonical.into()))
    }

    /// The inside of the JSON string.
    pub fn as_raw(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message from a client to a relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientMessage {
    /// Publishes an event (NIP-01).
    Event(Event),
    /// Asks for stored and then for new events (NIP-01).
    Req {
        /// The subscription.
        sub: SubscriptionId,
        /// An event is served if one of them matches.
        filters: Vec<Filter>,
    },
    /// Ends a subscription (NIP-01).
    Close(SubscriptionId),
    /// Asks how many events match (NIP-45).
    Count {
        /// The query.
        sub: SubscriptionId,
        /// An event counts once if any of them matches.
        filters: Vec<Filter>,
    },
    /// Proves who the client is (NIP-42).
    Auth(Event),
    /// Starts a reconciliation (NIP-77).
    NegOpen {
        /// The session.
        sub: SubscriptionId,
        /// The set to reconcile.
        filter: Filter,
        /// The first message.
        message: Vec<u8>,
    },
    /// Goes on with a reconciliation (NIP-77).
    NegMsg {
        /// The session.
        sub: SubscriptionId,
        /// The next message.
        message: Vec<u8>,
    },
    /// Ends a reconciliation (NIP-77).
    NegClose(SubscriptionId),
}

/// Why a text is no message. Says whom to answer, where that can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMessage {
    /// Not a JSON list that starts with a name.
    #[error("not a message: {0}")]
    Json(#[from] JsonError),
    /// Nobody knows the name.
    #[error("unknown message type {0}")]
    UnknownType(String),
    /// The subscription's name is too long or empty.
    #[error("subscription id must have 1 to {} characters", SubscriptionId::MAX_CHARS)]
    SubscriptionId,
    /// The event of an EVENT or AUTH is none.
    #[error("{error}")]
    Event {
        /// The id as claimed, if it is hex of the right length, so that an OK can name it.
        id: Option<crate::EventId>,
        /// What is wrong.
        error: InvalidEvent,
    },
    /// A filter of a REQ or COUNT is none.
    #[error("{error}")]
    Filter {
        /// The subscription to be closed.
        sub: SubscriptionId,
        /// What is wrong.
        error: InvalidFilter,
    },
    /// A REQ or COUNT has no filter.
    #[error("at least one filter is needed")]
    NoFilter {
        /// The subscription to be closed.
        sub: SubscriptionId,
    },
    /// A NEG-OPEN or NEG-MSG is malformed.
    #[error("{reason}")]
    Negentropy {
        /// The session to be closed.
        sub: SubscriptionId,
        /// What is wrong.
        reason: String,
    },
}

impl ClientMessage {
    /// Reads a message from JSON.
    pub fn from_json(text: &str) -> Result<Self, InvalidMessage> {
        let mut scanner = Scanner::new(text);
        scanner.expect(b'[', "a list")?;
        let name = scanner.string()?;
        let message = match name {
            "EVENT" => Self::Event(event(&mut scanner, text.len())?),
            "AUTH" => Self::Auth(event(&mut scanner, text.len())?),
            "REQ" => {
                let sub = subscription(&mut scanner)?;
                Self::Req { filters: filters(&mut scanner, &sub)?, sub }
            }
            "COUNT" => {
                let sub = subscription(&mut scanner)?;
                Self::Count { filters: filters(&mut scanner, &sub)?, sub }
            }
            "CLOSE" => Self::Close(subscription(&mut scanner)?),
            "NEG-OPEN" => neg_open(&mut scanner)?,
            "NEG-MSG" => {
                let sub = subscription(&mut scanner)?;
                Self::NegMsg { message: neg_bytes(&mut scanner, &sub)?, sub }
            }
            "NEG-CLOSE" => Self::NegClose(subscription(&mut scanner)?),
            other => return Err(InvalidMessage::UnknownType(other.chars().take(32).collect())),
        };
        // Elements behind the ones we know may come with a later NIP; strfry's client sends some.
        while scanner.eat(b',') {
            scanner.value()?;
        }
        scanner.expect(b']', "the end of the list")?;
        scanner.expect_end()?;
        Ok(message)
    }
}

fn event(scanner: &mut Scanner<'_>, room: usize) -> Result<Event, InvalidMessage> {
    scanner.expect(b',', "a comma and an event")?;
    let start = scanner.clone();
    parse::parse(scanner, room)
        .map_err(|error| InvalidMessage::Event { id: claimed_id(start), error })
}

/// The `id` of a text that is no event, for the answer.
fn claimed_id(mut scanner: Scanner<'_>) -> Option<crate::EventId> {
    scanner.expect(b'{', "an object").ok()?;
    loop {
        let key = scanner.string().ok()?;
        scanner.expect(b':', "a colon").ok()?;
        let value = scanner.value().ok()?;
        if key == "id" {
            return crate::EventId::from_hex(value.trim_matches('"').as_bytes()).ok();
        }
        scanner.expect(b',', "a comma").ok()?;
    }
}

fn subscription(scanner: &mut Scanner<'_>) -> Result<SubscriptionId, InvalidMessage> {
    scanner.expect(b',', "a comma and a subscription id")?;
    SubscriptionId::from_raw(scanner.string()?).ok_or(InvalidMessage::SubscriptionId)
}

fn filters(scanner: &mut Scanner<'_>, sub: &SubscriptionId) -> Result<Vec<Filter>, InvalidMessage> {
    let mut filters = Vec::new();
    while scanner.eat(b',') {
        let filter = Filter::from_json(scanner.value()?);
        filters.push(filter.map_err(|error| InvalidMessage::Filter { sub: sub.clone(), error })?);
    }
    if filters.is_empty() {
        Err(InvalidMessage::NoFilter { sub: sub.clone() })
    } else {
        Ok(filters)
    }
}

fn neg_open(scanner: &mut Scanner<'_>) -> Result<ClientMessage, InvalidMessage> {
    let sub = subscription(scanner)?;
    scanner.expect(b',', "a comma and a filter")?;
    let text = scanner.value()?;
    // One client library sends its filter as a list of one.
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let filter = Filter::from_json(inner);
    let filter = filter.map_err(|error| InvalidMessage::Negentropy {
        sub: sub.clone(),
        reason: error.to_string(),
    })?;
    let message = neg_bytes(scanner, &sub)?;
    Ok(ClientMessage::NegOpen { sub, filter, message })
}

fn neg_bytes(scanner: &mut Scanner<'_>, sub: &SubscriptionId) -> Result<Vec<u8>, InvalidMessage> {
    let wrong =
        |reason: &str| InvalidMessage::Negentropy { sub: sub.clone(), reason: reason.into() };
    if !scanner.eat(b',') {
        return Err(wrong("the message is missing"));
    }
    let digits =
        scanner.string().map_err(|_| wrong("the message is not a string of hex digits"))?;
    crate::hex::decode(digits.as_bytes())
        .ok_or_else(|| wrong("the message is not an even number of hex digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        ClientMessage::from_json(text).unwrap_err().to_string()
    }

    #[test]
    fn requests_carry_their_filters() {
        let message =
            ClientMessage::from_json(r#" [ "REQ" , "a\"b", {"kinds":[1]} , {} ] "#).unwrap();
        let sub = SubscriptionId::new("a\"b").unwrap();
        let kinds = Filter { kinds: Some(vec![crate::Kind::new(1)]), ..Filter::default() };
        assert_eq!(message, ClientMessage::Req { sub, filters: vec![kinds, Filter::default()] });
    }

    #[test]
    fn negentropy_takes_a_filter_or_a_list_of_one() {
        let plain = ClientMessage::from_json(r#"["NEG-OPEN","n",{"kinds":[1]},"61"]"#).unwrap();
        let listed = ClientMessage::from_json(r#"["NEG-OPEN","n",[{"kinds":[1]}],"61"]"#).unwrap();
        assert_eq!(plain, listed);
        let wrong = ClientMessage::from_json(r#"["NEG-OPEN","n",{},"6"]"#).unwrap_err();
        assert!(matches!(wrong, InvalidMessage::Negentropy { .. }));
    }

    #[test]
    fn wrong_messages_say_what_is_wrong() {
        let cases = [
            ("", "not a message: expected a list at byte 0"),
            ("{}", "not a message: expected a list at byte 0"),
            ("[\"PING\"]", "unknown message type PING"),
            ("[\"REQ\"]", "not a message: expected a comma and a subscription id at byte 6"),
            ("[\"REQ\",\"\",{}]", "subscription id must have 1 to 64 characters"),
            ("[\"REQ\",\"a\"]", "at least one filter is needed"),
            ("[\"REQ\",\"a\",1]", "filter: expected an object at byte 0"),
            ("[\"CLOSE\",\"a\"", "not a message: expected the end of the list at byte 12"),
            ("[\"EVENT\",{}]", "tags is missing"),
        ];
        for (text, message) in cases {
            assert_eq!(error(text), message);
        }
    }

    #[test]
    fn an_event_that_is_none_is_answered_by_its_id() {
        let id = "4376c65d2f232afbe9b882a35baa4f6fe8667c4e684749af565f981833ed6a65";
        let text = format!(r#"["EVENT",{{"kind":-1,"id":"{id}"}}]"#);
        let Err(InvalidMessage::Event { id: found, .. }) = ClientMessage::from_json(&text) else {
            panic!("it is no event")
        };
        assert_eq!(found.unwrap().to_string(), id);
    }
}
