//! What relays say, as a client reads it.

use event::{EventId, hex};
use serde_json::value::RawValue;

/// A message of a relay. Subscriptions are named as we named them: letters and digits.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// An event, not yet read.
    Event {
        sub: String,
        event: Box<str>,
    },
    Ok {
        id: EventId,
        accepted: bool,
        reason: String,
    },
    Eose {
        sub: String,
    },
    Closed {
        sub: String,
        reason: String,
    },
    Notice(String),
    Auth {
        challenge: String,
    },
    NegMsg {
        sub: String,
        message: Vec<u8>,
    },
    NegErr {
        sub: String,
        reason: String,
        max: Option<u64>,
    },
    /// One that is none of our business.
    Other,
}

impl Message {
    /// Reads a message; says what is wrong with one that is none.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let parts: Vec<&RawValue> = serde_json::from_str(text)
            .map_err(|_| wrong("a message that is no JSON list", text))?;
        let mut parts = parts.into_iter();
        let name = string(parts.next()).ok_or_else(|| wrong("a message without a name", text))?;
        read(&name, &mut parts).ok_or_else(|| wrong(&format!("a malformed {name}"), text))
    }
}

fn read<'a>(name: &str, parts: &mut impl Iterator<Item = &'a RawValue>) -> Option<Message> {
    let mut next = || string(parts.next());
    Some(match name {
        "EVENT" => Message::Event { sub: next()?, event: parts.next()?.get().into() },
        "OK" => {
            let id = EventId::from_hex(next()?.as_bytes()).ok()?;
            let accepted = serde_json::from_str(parts.next()?.get()).ok()?;
            Message::Ok { id, accepted, reason: string(parts.next()).unwrap_or_default() }
        }
        "EOSE" => Message::Eose { sub: next()? },
        "CLOSED" => Message::Closed { sub: next()?, reason: next().unwrap_or_default() },
        "NOTICE" => Message::Notice(next()?),
        "AUTH" => Message::Auth { challenge: next()? },
        "NEG-MSG" => Message::NegMsg { sub: next()?, message: hex::decode(next()?.as_bytes())? },
        "NEG-ERR" => {
            let (sub, reason) = (next()?, next().unwrap_or_default());
            let max = parts.next().and_then(|max| serde_json::from_str(max.get()).ok());
            Message::NegErr { sub, reason, max }
        }
        _ => Message::Other,
    })
}

fn string(part: Option<&RawValue>) -> Option<String> {
    serde_json::from_str(part?.get()).ok()
}

fn wrong(what: &str, text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    let more = if start.len() < text.len() { "…" } else { "" };
    format!("it sent {what}: {start:?}{more}")
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const WORDS: [&str; 17] = [
        "[",
        "]",
        ",",
        "{",
        "}",
        "\"EVENT\"",
        "\"OK\"",
        "\"NEG-MSG\"",
        "\"NEG-ERR\"",
        "\"CLOSED\"",
        "\"a\"",
        "\"61\"",
        "\"\\ud83d\"",
        "true",
        "1e999",
        "é😀",
        "\u{0}",
    ];

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            any in any::<String>(),
            words in vec(select(&WORDS[..]), 0..12),
            elements in vec(select(&WORDS[5..]), 0..5),
        ) {
            for text in [any, words.concat(), format!("[{}]", elements.join(","))] {
                if let Err(refusal) = Message::from_json(&text) {
                    prop_assert!(refusal.starts_with("it sent "), "{}", refusal);
                }
            }
        }
    }

    #[test]
    fn messages_are_read() {
        let id = EventId::new([0xab; 32]);
        let cases = [
            (
                r#"["EVENT","a",{"id":1}]"#.to_owned(),
                Message::Event { sub: "a".into(), event: r#"{"id":1}"#.into() },
            ),
            (
                format!(r#"["OK","{id}",true]"#),
                Message::Ok { id, accepted: true, reason: String::new() },
            ),
            (
                format!(r#"["OK","{id}",false,"blocked: \"x\""]"#),
                Message::Ok { id, accepted: false, reason: "blocked: \"x\"".into() },
            ),
            (r#"["EOSE","a"]"#.into(), Message::Eose { sub: "a".into() }),
            (
                r#"["CLOSED","a"]"#.into(),
                Message::Closed { sub: "a".into(), reason: String::new() },
            ),
            (
                r#"["NEG-MSG","n","61FF"]"#.into(),
                Message::NegMsg { sub: "n".into(), message: vec![0x61, 0xff] },
            ),
            (
                r#"["NEG-ERR","n","blocked: big",9]"#.into(),
                Message::NegErr { sub: "n".into(), reason: "blocked: big".into(), max: Some(9) },
            ),
            (
                r#"["NEG-ERR","n","closed: x"]"#.into(),
                Message::NegErr { sub: "n".into(), reason: "closed: x".into(), max: None },
            ),
            (r#"["PONG",{}]"#.into(), Message::Other),
        ];
        for (text, expected) in cases {
            assert_eq!(Message::from_json(&text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_shown() {
        let error = |text: &str| Message::from_json(text).unwrap_err();
        assert_eq!(error("hello"), r#"it sent a message that is no JSON list: "hello""#);
        assert_eq!(error("[]"), r#"it sent a message without a name: "[]""#);
        assert_eq!(
            error(r#"["NEG-MSG","n","6"]"#),
            r#"it sent a malformed NEG-MSG: "[\"NEG-MSG\",\"n\",\"6\"]""#
        );
    }
}
