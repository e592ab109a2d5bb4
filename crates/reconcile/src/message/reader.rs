//! Reads the ranges of a message.

use event::{EventId, Timestamp};

use super::{FINGERPRINT, ID_LIST, IdList, Malformed, Payload, Range, SKIP};
use crate::{Bound, Fingerprint, varint};

/// The ranges of a message body, in ascending order; ends after the first that is malformed.
#[derive(Clone, Debug)]
pub struct Ranges<'a> {
    rest: &'a [u8],
    lower: Bound,
}

impl<'a> Ranges<'a> {
    /// Reads what follows the version byte.
    pub fn new(body: &'a [u8]) -> Self {
        Self { rest: body, lower: Bound::ZERO }
    }

    fn range(&mut self) -> Result<Range<'a>, Malformed> {
        let upper = self.bound()?;
        let payload = match varint::decode(&mut self.rest)? {
            SKIP => Payload::Skip,
            FINGERPRINT => Payload::Fingerprint(Fingerprint::new(self.array()?)),
            ID_LIST => Payload::IdList(self.id_list()?),
            mode => return Err(Malformed::UnknownMode { mode }),
        };
        self.lower = upper;
        Ok(Range { upper, payload })
    }

    fn bound(&mut self) -> Result<Bound, Malformed> {
        let time = varint::decode(&mut self.rest)?;
        let len = varint::decode(&mut self.rest)?;
        let prefix = match usize::try_from(len) {
            Ok(len @ 0..=EventId::LEN) => self.bytes(len)?,
            _ => return Err(Malformed::PrefixTooLong { len }),
        };
        let upper = match (time.checked_sub(1), self.lower) {
            // Above every item there is nothing an id could tell apart, but one client library sends some.
            (None, _) => Bound::Infinity,
            (Some(_), Bound::Infinity) => return Err(Malformed::BoundOutOfOrder),
            (Some(offset), Bound::Before(lower)) => {
                let secs =
                    lower.created_at.as_secs().checked_add(offset).filter(|secs| *secs < u64::MAX);
                let created_at =
                    secs.map(Timestamp::from_secs).ok_or(Malformed::TimestampTooLarge)?;
                Bound::new(created_at, prefix).ok_or(Malformed::PrefixTooLong { len })?
            }
        };
        if upper < self.lower { Err(Malformed::BoundOutOfOrder) } else { Ok(upper) }
    }

    fn id_list(&mut self) -> Result<IdList<'a>, Malformed> {
        let len = varint::decode(&mut self.rest)?;
        let (ids, _) = self.rest.as_chunks::<{ EventId::LEN }>();
        let list = usize::try_from(len).ok().and_then(|len| ids.get(..len));
        let list = list.ok_or(Malformed::IdListTooLong { len, room: ids.len() })?;
        self.bytes(list.as_flattened().len())?;
        Ok(IdList(list))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(*array)
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or(Malformed::Truncated)?;
        self.rest = rest;
        Ok(bytes)
    }
}

impl<'a> Iterator for Ranges<'a> {
    type Item = Result<Range<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let range = self.range();
        if range.is_err() {
            self.rest = &[];
        }
        Some(range)
    }
}
