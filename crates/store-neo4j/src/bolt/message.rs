//! Messages: what is asked, what is answered.

use std::time::Duration;

use super::packstream::{push, push_map, push_struct, push_text, read};
use super::{BoltError, Value};

/// A text of Cypher and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) params: Vec<(String, Value)>,
}

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The server refuses writes.
    Read,
    Write,
}

/// What this side says.
pub(super) enum Request<'a> {
    Hello { agent: &'a str, routing: Option<&'a str>, credentials: Option<(&'a str, &'a str)> },
    Logon { user: &'a str, password: &'a str },
    Begin { mode: Mode, timeout: Duration },
    Run(&'a Statement),
    Pull { most: i64 },
    Discard,
    Commit,
    Rollback,
    Reset,
}

/// What the server says.
#[derive(Debug)]
pub(super) enum Response {
    Success(Value),
    Record(Vec<Value>),
    Failure {
        code: String,
        message: String,
    },
    /// A request before it failed.
    Ignored,
}

impl Statement {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), params: Vec::new() }
    }

    /// Gives a parameter its value.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.params.push((name.to_owned(), value.into()));
        self
    }
}

impl Request<'_> {
    /// The bytes of the message.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Hello { agent, routing, credentials } => {
                let product = Value::map([("product", (*agent).into())]);
                let mut extra = vec![
                    ("user_agent".into(), Value::from(*agent)),
                    ("bolt_agent".into(), product),
                ];
                if let Some(address) = routing {
                    extra.push(("routing".into(), Value::map([("address", (*address).into())])));
                }
                if let Some((user, password)) = credentials {
                    extra.extend(basic(user, password));
                }
                message(&mut out, 0x01, &[Value::Map(extra)]);
            }
            Self::Logon { user, password } => {
                message(&mut out, 0x6A, &[Value::Map(basic(user, password).into())]);
            }
            Self::Begin { mode, timeout } => {
                let mode = if *mode == Mode::Read { "r" } else { "w" };
                let millis = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
                let extra = [("mode", mode.into()), ("tx_timeout", millis.into())];
                message(&mut out, 0x11, &[Value::map(extra)]);
            }
            Self::Run(Statement { text, params }) => {
                push_struct(&mut out, 0x10, 3);
                push_text(&mut out, text);
                push_map(&mut out, params.len());
                for (name, value) in params {
                    push_text(&mut out, name);
                    push(&mut out, value);
                }
                push_map(&mut out, 0);
            }
            Self::Pull { most } => message(&mut out, 0x3F, &[Value::map([("n", (*most).into())])]),
            Self::Discard => message(&mut out, 0x2F, &[Value::map([("n", Value::Int(-1))])]),
            Self::Commit => message(&mut out, 0x12, &[]),
            Self::Rollback => message(&mut out, 0x13, &[]),
            Self::Reset => message(&mut out, 0x0F, &[]),
        }
        out
    }
}

fn message(out: &mut Vec<u8>, tag: u8, fields: &[Value]) {
    push_struct(out, tag, fields.len());
    fields.iter().for_each(|field| push(out, field));
}

fn basic(user: &str, password: &str) -> [(String, Value); 3] {
    [("scheme", "basic"), ("principal", user), ("credentials", password)]
        .map(|(key, value)| (key.to_owned(), value.into()))
}

impl Response {
    /// Reads a message.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, BoltError> {
        let Value::Struct(tag, fields) = read(bytes)? else {
            return Err(BoltError::Protocol("a message that is no structure"));
        };
        let field = fields.into_iter().next();
        match (tag, field) {
            (0x70, Some(metadata)) => Ok(Self::Success(metadata)),
            (0x71, Some(Value::List(values))) => Ok(Self::Record(values)),
            (0x7E, _) => Ok(Self::Ignored),
            (0x7F, Some(metadata)) => {
                let part = |key| metadata.get(key).and_then(Value::as_text).unwrap_or_default();
                Ok(Self::Failure { code: part("code").into(), message: part("message").into() })
            }
            _ => Err(BoltError::Protocol("an unknown message")),
        }
    }
}
