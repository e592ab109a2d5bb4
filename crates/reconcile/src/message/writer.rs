//! Writes a message, range by range.

use event::EventId;

use super::{FINGERPRINT, ID_LIST, SKIP, VERSION};
use crate::{Bound, Fingerprint, varint};

/// A message under construction; ranges are written in ascending order.
#[derive(Clone, Debug)]
pub struct MessageWriter {
    bytes: Vec<u8>,
    upper: Bound,
}

/// A place in a message to return to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    len: usize,
    upper: Bound,
}

impl Default for MessageWriter {
    fn default() -> Self {
        Self { bytes: vec![VERSION], upper: Bound::ZERO }
    }
}

impl MessageWriter {
    /// How many bytes were written, the version byte included; never zero.
    #[expect(clippy::len_without_is_empty, reason = "the version byte is always there")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no range in it: the peer may skip everything.
    pub fn is_settled(&self) -> bool {
        self.bytes.len() == 1
    }

    /// Where the last range written ends.
    pub fn upper(&self) -> Bound {
        self.upper
    }

    /// Writes that nothing is left to do up to `upper`.
    pub fn skip(&mut self, upper: Bound) {
        self.range(upper, SKIP);
    }

    /// Writes the fingerprint of all ids up to `upper`.
    pub fn fingerprint(&mut self, upper: Bound, fingerprint: &Fingerprint) {
        self.range(upper, FINGERPRINT);
        self.bytes.extend_from_slice(fingerprint.as_bytes());
    }

    /// Writes all ids up to `upper`.
    pub fn id_list(&mut self, upper: Bound, ids: &[EventId]) {
        self.range(upper, ID_LIST);
        self.varint(ids.len() as u64);
        for id in ids {
            self.bytes.extend_from_slice(id.as_bytes());
        }
    }

    /// The present end, to return to.
    pub fn mark(&self) -> Mark {
        Mark { len: self.bytes.len(), upper: self.upper }
    }

    /// Takes back what was written since the mark.
    pub fn truncate(&mut self, mark: Mark) {
        self.bytes.truncate(mark.len);
        self.upper = mark.upper;
    }

    /// The bytes to send.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn range(&mut self, upper: Bound, mode: u64) {
        debug_assert!(self.upper <= upper, "ranges ascend");
        match upper {
            Bound::Infinity => self.bytes.extend_from_slice(&[0, 0]),
            Bound::Before(item) => {
                let last = match self.upper {
                    Bound::Before(lower) => lower.created_at.as_secs(),
                    Bound::Infinity => u64::MAX,
                };
                self.varint(item.created_at.as_secs().saturating_sub(last).saturating_add(1));
                let prefix = item.prefix();
                self.varint(prefix.len() as u64);
                self.bytes.extend_from_slice(prefix);
            }
        }
        self.varint(mode);
        self.upper = upper;
    }

    fn varint(&mut self, number: u64) {
        self.bytes.extend_from_slice(&varint::encode(number));
    }
}
