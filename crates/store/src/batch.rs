//! Events on their way out of a store: packed one behind the other, so that a batch is one buffer.

use std::fmt;

use event::{EventRef, NotAnEvent};

/// The order of arrival of an event: from 1, rising, never used twice, with gaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Serial(u64);

impl Serial {
    /// The largest: 40 bits, as the original's wire has it.
    pub const MAX: Self = Self((1 << 40) - 1);

    /// Takes the number; 0 stands for "before the first".
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A run of events with their serials.
#[derive(Clone, Debug, Default)]
pub struct EventBatch {
    bytes: Vec<u8>,
    entries: Vec<(Serial, usize)>,
}

impl EventBatch {
    /// An empty batch with room for so many bytes of events.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), entries: Vec::new() }
    }

    /// Takes events that stand one behind the other in `bytes`, each with its serial and its length.
    pub fn from_packed(
        bytes: Vec<u8>,
        events: impl Iterator<Item = (Serial, usize)>,
    ) -> Result<Self, NotAnEvent> {
        let mut entries = Vec::with_capacity(events.size_hint().0);
        let mut end: usize = 0;
        for (serial, len) in events {
            let start = end;
            end = start.saturating_add(len);
            EventRef::from_bytes(bytes.get(start..end).ok_or(NotAnEvent { len })?)?;
            entries.push((serial, end));
        }
        match bytes.len() - end {
            0 => Ok(Self { bytes, entries }),
            len => Err(NotAnEvent { len }),
        }
    }

    /// Gives the bytes of all events back, without copying them.
    pub fn into_packed(self) -> Vec<u8> {
        self.bytes
    }

    /// Copies `event` to the end.
    pub fn push(&mut self, serial: Serial, event: EventRef<'_>) {
        self.bytes.extend_from_slice(event.as_bytes());
        self.entries.push((serial, self.bytes.len()));
    }

    /// Leaves those events that `keep` wants, in order.
    pub fn retain(&mut self, mut keep: impl FnMut(Serial, EventRef<'_>) -> bool) {
        let (bytes, mut start, mut kept) = (&mut self.bytes, 0, 0);
        self.entries.retain_mut(|(serial, end)| {
            let place = start..*end;
            start = *end;
            let event =
                EventRef::from_bytes(&bytes[place.clone()]).expect("only events are pushed");
            let is_wanted = keep(*serial, event);
            if is_wanted {
                let len = place.len();
                if place.start != kept {
                    bytes.copy_within(place, kept);
                }
                kept += len;
                *end = kept;
            }
            is_wanted
        });
        self.bytes.truncate(kept);
    }

    /// The events in order.
    pub fn iter(&self) -> impl Iterator<Item = (Serial, EventRef<'_>)> {
        (0..self.len()).map_while(|at| self.get(at))
    }

    /// The event at a place.
    pub fn get(&self, at: usize) -> Option<(Serial, EventRef<'_>)> {
        let &(serial, end) = self.entries.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].1);
        let event = EventRef::from_bytes(&self.bytes[start..end]).expect("only events are pushed");
        Some((serial, event))
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many bytes the events take.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_events_come_back_and_what_is_no_event_is_refused() {
        let event = [&[7; 140][..], &[0; 4], b"text"].concat();
        let entries = |lens: &[usize]| -> Vec<_> {
            lens.iter().zip(1..).map(|(&len, at)| (Serial::new(at), len)).collect()
        };
        let pack = |bytes: &[u8], lens: &[usize]| {
            EventBatch::from_packed(bytes.to_vec(), entries(lens).into_iter())
        };
        let batch = pack(&[&event[..], &event[..]].concat(), &[148, 148]).unwrap();
        let found: Vec<_> =
            batch.iter().map(|(serial, event)| (serial, event.as_bytes())).collect();
        assert_eq!(found, [(Serial::new(1), &event[..]), (Serial::new(2), &event[..])]);
        assert_eq!(batch.into_packed(), [&event[..], &event[..]].concat());
        let other = [&[8; 140][..], &[0; 4], b"other text"].concat();
        for (wanted, left) in [
            (&[1, 2, 3][..], [&event[..], &other, &event].concat()),
            (&[2, 3], [&other[..], &event].concat()),
            (&[1, 3], [&event[..], &event].concat()),
            (&[], vec![]),
        ] {
            let bytes = [&event[..], &other, &event].concat();
            let mut batch = pack(&bytes, &[148, 154, 148]).unwrap();
            batch.retain(|serial, _| wanted.contains(&serial.as_u64()));
            let serials: Vec<_> = batch.iter().map(|(serial, _)| serial.as_u64()).collect();
            assert_eq!(serials, wanted);
            assert_eq!(batch.into_packed(), left);
        }
        assert!(pack(&[], &[]).unwrap().is_empty());
        for lens in [&[147][..], &[149], &[143, 5], &[usize::MAX], &[148, usize::MAX], &[148, 0]] {
            assert!(pack(&event, lens).is_err(), "{lens:?}");
        }
    }
}
