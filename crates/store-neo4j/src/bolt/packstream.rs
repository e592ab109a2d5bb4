//! PackStream: values as bytes.
//!
//! What comes from a server is checked as it is read: nothing is allocated by a length that it claims.

use super::{BoltError, Value};

/// How deep lists and maps of a server may lie in each other.
const MAX_DEPTH: usize = 64;

/// Appends a value.
pub(super) fn push(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => out.push(0xC0),
        Value::Bool(value) => out.push(0xC2 | u8::from(*value)),
        Value::Int(number) => push_int(out, *number),
        Value::Float(number) => {
            out.push(0xC1);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Value::Bytes(bytes) => {
            push_len(out, bytes.len(), None, [0xCC, 0xCD, 0xCE]);
            out.extend_from_slice(bytes);
        }
        Value::Text(text) => push_text(out, text),
        Value::List(values) => {
            push_len(out, values.len(), Some(0x90), [0xD4, 0xD5, 0xD6]);
            values.iter().for_each(|value| push(out, value));
        }
        Value::Map(entries) => {
            push_map(out, entries.len());
            for (key, value) in entries {
                push_text(out, key);
                push(out, value);
            }
        }
        Value::Struct(tag, fields) => {
            push_struct(out, *tag, fields.len());
            fields.iter().for_each(|field| push(out, field));
        }
    }
}

/// Appends what a map of so many entries begins with.
pub(super) fn push_map(out: &mut Vec<u8>, len: usize) {
    push_len(out, len, Some(0xA0), [0xD8, 0xD9, 0xDA]);
}

/// Appends what a structure of up to 15 fields begins with.
pub(super) fn push_struct(out: &mut Vec<u8>, tag: u8, fields: usize) {
    let fields = u8::try_from(fields).expect("structures have few fields");
    out.extend_from_slice(&[0xB0 | fields, tag]);
}

pub(super) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_len(out, text.len(), Some(0x80), [0xD0, 0xD1, 0xD2]);
    out.extend_from_slice(text.as_bytes());
}

fn push_int(out: &mut Vec<u8>, number: i64) {
    if let Ok(tiny) = i8::try_from(number) {
        if tiny < -16 {
            out.push(0xC8);
        }
        out.extend_from_slice(&tiny.to_be_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        out.push(0xC9);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        out.push(0xCA);
        out.extend_from_slice(&number.to_be_bytes());
    } else {
        out.push(0xCB);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

/// Appends a length: in the marker `tiny` if there is one and it fits, else behind one of `markers` for 1, 2, 4 bytes.
fn push_len(out: &mut Vec<u8>, len: usize, tiny: Option<u8>, markers: [u8; 3]) {
    if let Some(tiny) = tiny.filter(|_| len < 16) {
        out.push(tiny | u8::try_from(len).unwrap_or_default());
    } else if let Ok(len) = u8::try_from(len) {
        out.extend_from_slice(&[markers[0], len]);
    } else if let Ok(len) = u16::try_from(len) {
        out.push(markers[1]);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(markers[2]);
        let len = u32::try_from(len).expect("what is sent is smaller than 4 GiB");
        out.extend_from_slice(&len.to_be_bytes());
    }
}

/// Reads one value, which must be all there is.
pub(super) fn read(bytes: &[u8]) -> Result<Value, BoltError> {
    let mut reader = Reader { rest: bytes };
    let value = reader.value(0)?;
    if reader.rest.is_empty() {
        Ok(value)
    } else {
        Err(BoltError::Protocol("bytes behind a value"))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, BoltError> {
        if depth > MAX_DEPTH {
            return Err(BoltError::Protocol("a value of too many levels"));
        }
        let [marker] = self.array()?;
        let low = usize::from(marker & 0x0F);
        Ok(match marker {
            0x00..=0x7F => Value::Int(i64::from(marker)),
            0xF0..=0xFF => Value::Int(i64::from(i8::from_be_bytes([marker]))),
            0x80..=0x8F => self.text(low)?,
            0x90..=0x9F => self.list(low, depth)?,
            0xA0..=0xAF => self.map(low, depth)?,
            0xB0..=0xBF => {
                let [tag] = self.array()?;
                Value::Struct(tag, self.values(low, depth)?)
            }
            0xC0 => Value::Null,
            0xC1 => Value::Float(f64::from_be_bytes(self.array()?)),
            0xC2 => Value::Bool(false),
            0xC3 => Value::Bool(true),
            0xC8 => Value::Int(i64::from(i8::from_be_bytes(self.array()?))),
            0xC9 => Value::Int(i64::from(i16::from_be_bytes(self.array()?))),
            0xCA => Value::Int(i64::from(i32::from_be_bytes(self.array()?))),
            0xCB => Value::Int(i64::from_be_bytes(self.array()?)),
            0xCC..=0xCE => {
                let len = self.len(marker - 0xCC)?;
                Value::Bytes(self.take(len)?.to_vec())
            }
            0xD0..=0xD2 => {
                let len = self.len(marker - 0xD0)?;
                self.text(len)?
            }
            0xD4..=0xD6 => {
                let len = self.len(marker - 0xD4)?;
                self.list(len, depth)?
            }
            0xD8..=0xDA => {
                let len = self.len(marker - 0xD8)?;
                self.map(len, depth)?
            }
            _ => return Err(BoltError::Protocol("a value of an unknown type")),
        })
    }

    fn list(&mut self, len: usize, depth: usize) -> Result<Value, BoltError> {
        Ok(Value::List(self.values(len, depth)?))
    }

    fn values(&mut self, len: usize, depth: usize) -> Result<Vec<Value>, BoltError> {
        // Each takes a byte at least.
        let mut values = Vec::with_capacity(len.min(self.rest.len()));
        for _ in 0..len {
            values.push(self.value(depth + 1)?);
        }
        Ok(values)
    }

    fn map(&mut self, len: usize, depth: usize) -> Result<Value, BoltError> {
        let mut entries = Vec::with_capacity(len.min(self.rest.len()));
        for _ in 0..len {
            let Value::Text(key) = self.value(depth + 1)? else {
                return Err(BoltError::Protocol("a key that is no text"));
            };
            entries.push((key, self.value(depth + 1)?));
        }
        Ok(Value::Map(entries))
    }

    fn text(&mut self, len: usize) -> Result<Value, BoltError> {
        let text = std::str::from_utf8(self.take(len)?);
        Ok(Value::Text(text.map_err(|_| BoltError::Protocol("text that is no UTF-8"))?.to_owned()))
    }

    /// A length of 1, 2 or 4 bytes.
    fn len(&mut self, size: u8) -> Result<usize, BoltError> {
        Ok(match size {
            0 => usize::from(u8::from_be_bytes(self.array()?)),
            1 => usize::from(u16::from_be_bytes(self.array()?)),
            _ => u32::from_be_bytes(self.array()?) as usize,
        })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], BoltError> {
        let short = BoltError::Protocol("a value that ends early");
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BoltError> {
        let short = BoltError::Protocol("a value that ends early");
        let (array, rest) = self.rest.split_first_chunk().ok_or(short)?;
        self.rest = rest;
        Ok(*array)
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (-200..40_000_i64).prop_map(Value::Int),
            (-1e9..1e9).prop_map(Value::Float),
            vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
            ".{0,300}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(3, 60, 20, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..20).prop_map(Value::List),
                vec((".{0,20}", inner.clone()), 0..20).prop_map(Value::Map),
                (any::<u8>(), vec(inner, 0..15))
                    .prop_map(|(tag, fields)| Value::Struct(tag, fields)),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in value()) {
            let mut bytes = Vec::new();
            push(&mut bytes, &value);
            prop_assert_eq!(read(&bytes).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
            drop(read(&bytes));
        }
    }

    #[test]
    fn lengths_are_as_short_as_the_protocol_has_them() {
        let start = |value: Value, len: usize| {
            let mut bytes = Vec::new();
            push(&mut bytes, &value);
            assert_eq!(read(&bytes).unwrap(), value);
            bytes.truncate(len);
            bytes
        };
        assert_eq!(start(Value::Text("a".into()), 2), [0x81, b'a']);
        assert_eq!(start(Value::Text("a".repeat(16)), 2), [0xD0, 16]);
        assert_eq!(start(Value::Text("a".repeat(256)), 3), [0xD1, 1, 0]);
        assert_eq!(start(Value::Bytes(vec![7; 70_000]), 5), [0xCE, 0, 1, 0x11, 0x70]);
        assert_eq!(start(Value::Int(-16), 9), [0xF0]);
        assert_eq!(start(Value::Int(-17), 9), [0xC8, 0xEF]);
        assert_eq!(start(Value::Int(128), 9), [0xC9, 0, 128]);
    }

    #[test]
    fn claims_of_a_server_allocate_nothing() {
        for marker in [0xCE, 0xD2, 0xD6, 0xDA] {
            assert!(read(&[marker, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]).is_err());
        }
        assert!(read(&[0x91; 1000]).is_err(), "too deep");
    }
}
