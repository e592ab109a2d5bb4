//! What relays say.

use std::fmt;

use crate::{EventId, EventRef, SubscriptionId, hex, json::push_text};

/// The machine-readable word in front of a reason (NIP-01, NIP-42).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prefix {
    /// The event was there already.
    Duplicate,
    /// Too little proof of work (NIP-13).
    Pow,
    /// Somebody may not do this here.
    Blocked,
    /// Too much at once.
    RateLimited,
    /// Malformed, forged or against the rules.
    Invalid,
    /// May not do this, though authenticated (NIP-42).
    Restricted,
    /// May do this once authenticated (NIP-42).
    AuthRequired,
    /// Passed on to nobody.
    Mute,
    /// The relay could not.
    Error,
}

impl Prefix {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Duplicate,
        Self::Pow,
        Self::Blocked,
        Self::RateLimited,
        Self::Invalid,
        Self::Restricted,
        Self::AuthRequired,
        Self::Mute,
        Self::Error,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Pow => "pow",
            Self::Blocked => "blocked",
            Self::RateLimited => "rate-limited",
            Self::Invalid => "invalid",
            Self::Restricted => "restricted",
            Self::AuthRequired => "auth-required",
            Self::Mute => "mute",
            Self::Error => "error",
        }
    }
}

/// A refusal, as a client reads it: `prefix: text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// What kind of refusal.
    pub prefix: Prefix,
    /// What, which value, which limit, what to change.
    pub text: String,
}

impl Rejection {
    /// Makes a refusal.
    pub fn new(prefix: Prefix, text: impl Into<String>) -> Self {
        Self { prefix, text: text.into() }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.prefix.as_str(), self.text)
    }
}

/// A message from a relay to a client.
#[derive(Clone, Copy, Debug)]
pub enum RelayMessage<'a> {
    /// An event of a subscription.
    Event {
        /// The subscription.
        sub: &'a SubscriptionId,
        /// The event.
        event: EventRef<'a>,
    },
    /// What became of an EVENT or AUTH; the reason may be empty.
    Ok {
        /// The event.
        id: EventId,
        /// Whether the relay has it now.
        accepted: bool,
        /// `prefix: text`, or nothing.
        reason: &'a str,
    },
    /// All stored events were sent.
    Eose(&'a SubscriptionId),
    /// The relay ended or refused a subscription.
    Closed {
        /// The subscription.
        sub: &'a SubscriptionId,
        /// Why.
        reason: &'a str,
    },
    /// A word to a person.
    Notice(&'a str),
    /// What to sign to authenticate (NIP-42).
    Auth(&'a str),
    /// How many events match (NIP-45).
    Count {
        /// The query.
        sub: &'a SubscriptionId,
        /// How many.
        count: u64,
    },
    /// The next message of a reconciliation (NIP-77).
    NegMsg {
        /// The session.
        sub: &'a SubscriptionId,
        /// The message.
        message: &'a [u8],
    },
    /// A reconciliation ended (NIP-77).
    NegErr {
        /// The session.
        sub: &'a SubscriptionId,
        /// Why.
        reason: &'a str,
        /// How many records a reconciliation may have, if that is why.
        max: Option<u64>,
    },
}

impl RelayMessage<'_> {
    /// Appends the message as JSON.
    pub fn push_json(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Event { sub, event } => {
                open(out, "EVENT", sub.as_raw());
                out.push(b',');
                event.push_json(out);
            }
            Self::Ok { id, accepted, reason } => {
                out.extend_from_slice(b"[\"OK\",\"");
                hex::push(out, id.as_bytes());
                out.extend_from_slice(if accepted { b"\",true,\"" } else { b"\",false,\"" });
                push_text(out, reason);
                out.push(b'"');
            }
            Self::Eose(sub) => open(out, "EOSE", sub.as_raw()),
            Self::Closed { sub, reason } => {
                open(out, "CLOSED", sub.as_raw());
                text(out, reason);
            }
            Self::Notice(reason) => {
                out.extend_from_slice(b"[\"NOTICE\"");
                text(out, reason);
            }
            Self::Auth(challenge) => {
                out.extend_from_slice(b"[\"AUTH\"");
                text(out, challenge);
            }
            Self::Count { sub, count } => {
                open(out, "COUNT", sub.as_raw());
                out.extend_from_slice(format!(",{{\"count\":{count}}}").as_bytes());
            }
            Self::NegMsg { sub, message } => {
                open(out, "NEG-MSG", sub.as_raw());
                out.extend_from_slice(b",\"");
                hex::push(out, message);
                out.push(b'"');
            }
            Self::NegErr { sub, reason, max } => {
                open(out, "NEG-ERR", sub.as_raw());
                text(out, reason);
                if let Some(max) = max {
                    out.extend_from_slice(format!(",{max}").as_bytes());
                }
            }
        }
        out.push(b']');
    }

    /// The message as JSON, which is UTF-8.
    pub fn to_json_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.push_json(&mut out);
        out
    }

    /// The message as JSON.
    pub fn to_json(&self) -> String {
        String::from_utf8(self.to_json_bytes()).expect("made of UTF-8")
    }
}

fn open(out: &mut Vec<u8>, name: &str, sub: &str) {
    for part in ["[\"", name, "\",\"", sub, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b",\"");
    push_text(out, text);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_json() {
        let sub = SubscriptionId::new("a\"").unwrap();
        let id = EventId::new([0xab; 32]);
        let reason = Rejection::new(Prefix::Blocked, "no \"x\"").to_string();
        let cases = [
            (RelayMessage::Eose(&sub), r#"["EOSE","a\""]"#.to_owned()),
            (
                RelayMessage::Closed { sub: &sub, reason: &reason },
                r#"["CLOSED","a\"","blocked: no \"x\""]"#.into(),
            ),
            (
                RelayMessage::Ok { id, accepted: true, reason: "" },
                format!(r#"["OK","{id}",true,""]"#),
            ),
            (RelayMessage::Count { sub: &sub, count: 3 }, r#"["COUNT","a\"",{"count":3}]"#.into()),
            (
                RelayMessage::NegMsg { sub: &sub, message: &[0x61] },
                r#"["NEG-MSG","a\"","61"]"#.into(),
            ),
            (
                RelayMessage::NegErr { sub: &sub, reason: "blocked: big", max: Some(9) },
                r#"["NEG-ERR","a\"","blocked: big",9]"#.into(),
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(message.to_json(), expected);
        }
    }
}
