//! The parameters of a call.

use std::net::IpAddr;

use event::{EventId, Kind, Pubkey};
use serde_json::Value;

/// A parameter is missing or not what was expected.
#[derive(Debug, thiserror::Error)]
#[error("params[{at}]: expected {expected}")]
pub(in crate::http) struct InvalidParam {
    at: usize,
    expected: &'static str,
}

/// The parameters of a call, in order.
pub(super) struct Params(Vec<Value>);

impl Params {
    pub(super) fn new(values: Vec<Value>) -> Self {
        Self(values)
    }

    /// A pubkey, in hex or as `npub1…`.
    pub(super) fn pubkey(&self, at: usize) -> Result<Pubkey, InvalidParam> {
        self.read(at, "a pubkey", |text| Pubkey::from_hex_or_npub(text).ok())
    }

    /// An event id, in hex of either case.
    pub(super) fn event_id(&self, at: usize) -> Result<EventId, InvalidParam> {
        let lower = |text: &str| EventId::from_hex(text.to_ascii_lowercase().as_bytes()).ok();
        self.read(at, "the id of an event, 64 hex digits", lower)
    }

    /// An address.
    pub(super) fn ip(&self, at: usize) -> Result<IpAddr, InvalidParam> {
        let ip = |text: &str| text.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        self.read(at, "an IP address", ip)
    }

    /// A kind, as number or text.
    pub(super) fn kind(&self, at: usize) -> Result<Kind, InvalidParam> {
        let number = match self.0.get(at) {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            _ => None,
        };
        let kind = number.and_then(|number| u16::try_from(number).ok());
        kind.map(Kind::new).ok_or(InvalidParam { at, expected: "a kind, 0 to 65535" })
    }

    /// A text.
    pub(super) fn text(&self, at: usize) -> Result<&str, InvalidParam> {
        let text = self.0.get(at).and_then(Value::as_str);
        text.ok_or(InvalidParam { at, expected: "text" })
    }

    /// A text that may be missing.
    pub(super) fn reason(&self, at: usize) -> Result<String, InvalidParam> {
        match self.0.get(at) {
            None | Some(Value::Null) => Ok(String::new()),
            Some(_) => self.text(at).map(ToOwned::to_owned),
        }
    }

    /// A pubkey that may be missing.
    pub(super) fn some_pubkey(&self, at: usize) -> Option<Pubkey> {
        self.0.get(at).and_then(Value::as_str).and_then(|text| Pubkey::from_hex_or_npub(text).ok())
    }

    /// A number that may be missing, which is 0 then.
    pub(super) fn number(&self, at: usize) -> Result<usize, InvalidParam> {
        match self.0.get(at) {
            None | Some(Value::Null) => Ok(0),
            Some(value) => value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .ok_or(InvalidParam { at, expected: "a number" }),
        }
    }

    fn read<T>(
        &self,
        at: usize,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, InvalidParam> {
        let text = self.0.get(at).and_then(Value::as_str);
        text.and_then(parse).ok_or(InvalidParam { at, expected })
    }
}
