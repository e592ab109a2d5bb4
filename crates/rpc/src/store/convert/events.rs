//! Packed events.

use event::{Event, EventRef};
use store::{EventBatch, Serial};

use crate::Malformed;
use crate::proto::orlystore::v1 as proto;

/// About how many bytes of events a message has.
pub(in crate::store) const PART_BYTES: usize = 4 << 20;
/// How many bytes an event may have to fit into a message, whatever else is in it.
const EVENT_BYTES: usize = crate::DATABASE_MESSAGE_LIMIT - PART_BYTES - (1 << 20);

/// Packs a batch on its way out, without copying it.
pub(in crate::store) fn pack(batch: EventBatch) -> proto::Events {
    let (mut lengths, mut serials) =
        (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
    for (serial, event) in batch.iter() {
        lengths.push(length(event));
        serials.push(serial.as_u64());
    }
    proto::Events { packed: batch.into_packed().into(), lengths, serials }
}

/// Packs a batch that others hold too, in messages of about [`PART_BYTES`].
pub(in crate::store) fn parts(batch: &EventBatch) -> impl Iterator<Item = proto::Events> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (mut packed, mut lengths, mut serials) = (Vec::new(), Vec::new(), Vec::new());
        while packed.len() < PART_BYTES
            && let Some((serial, event)) = batch.get(at)
        {
            packed.extend_from_slice(event.as_bytes());
            lengths.push(length(event));
            serials.push(serial.as_u64());
            at += 1;
        }
        let part = proto::Events { packed: packed.into(), lengths, serials };
        Some(part).filter(|part| !part.lengths.is_empty())
    })
}

/// Packs events on their way to the store, in messages of about [`PART_BYTES`].
pub(in crate::store) fn pack_events(events: &[Event]) -> Result<Vec<proto::Events>, Malformed> {
    let mut parts = Vec::new();
    let (mut packed, mut lengths) = (Vec::new(), Vec::new());
    for (at, event) in events.iter().map(Event::as_ref).enumerate() {
        let len = event.as_bytes().len();
        if len > EVENT_BYTES {
            let reason =
                format!("{} has {len} bytes, a message has room for {EVENT_BYTES}", event.id());
            return Err(Malformed::new("event", reason));
        }
        if packed.is_empty() {
            let rest = events[at..].iter().map(|event| event.as_ref().as_bytes().len());
            packed.reserve(rest.sum::<usize>().min(PART_BYTES + len));
        }
        packed.extend_from_slice(event.as_bytes());
        lengths.push(length(event));
        if packed.len() >= PART_BYTES {
            let (packed, lengths) = (std::mem::take(&mut packed), std::mem::take(&mut lengths));
            parts.push(proto::Events { packed: packed.into(), lengths, serials: Vec::new() });
        }
    }
    if !lengths.is_empty() {
        parts.push(proto::Events { packed: packed.into(), lengths, serials: Vec::new() });
    }
    Ok(parts)
}

/// Unpacks events on their way to the store; ids and signatures are the caller's business.
pub(in crate::store) fn to_events(
    events: &proto::Events,
    to: &mut Vec<Event>,
) -> Result<(), Malformed> {
    let mut rest = &events.packed[..];
    for &len in &events.lengths {
        let (event, behind) = usize::try_from(len)
            .ok()
            .and_then(|len| rest.split_at_checked(len))
            .ok_or_else(|| Malformed::new("events.lengths", "more bytes than there are"))?;
        let event = EventRef::from_bytes(event)
            .map_err(|error| Malformed::new("events.packed", error.to_string()))?;
        to.push(event.to_event());
        rest = behind;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(Malformed::new("events.lengths", format!("{} bytes belong to no event", rest.len())))
    }
}

/// Unpacks events that come out of a store.
pub(in crate::store) fn to_batch(events: proto::Events) -> Result<EventBatch, Malformed> {
    let proto::Events { packed, lengths, serials } = events;
    if lengths.len() != serials.len() {
        return Err(Malformed::new("events.serials", "not as many as there are events"));
    }
    let entries = serials
        .into_iter()
        .zip(lengths)
        .map(|(serial, len)| (Serial::new(serial), usize::try_from(len).unwrap_or(usize::MAX)));
    EventBatch::from_packed(packed.into(), entries)
        .map_err(|error| Malformed::new("events.packed", error.to_string()))
}

fn length(event: EventRef<'_>) -> u32 {
    u32::try_from(event.as_bytes().len()).expect("an event is smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    use event::{Draft, Keys, Kind, Timestamp};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn events(sizes: &[usize]) -> Vec<Event> {
        let keys = Keys::from_secret([1; 32]).unwrap();
        let event = |(at, &size): (u64, &usize)| {
            keys.sign(&Draft {
                created_at: Timestamp::from_secs(at),
                kind: Kind::new(1),
                tags: vec![],
                content: "x".repeat(size),
            })
        };
        (1..).zip(sizes).map(event).collect()
    }

    #[test]
    fn events_come_back_in_order_however_many_messages_they_take() {
        for sizes in
            [&[][..], &[5], &[5, 0, 7], &[PART_BYTES, 1, PART_BYTES / 2, PART_BYTES / 2, 3]]
        {
            let events = events(sizes);
            let mut batch = EventBatch::default();
            for (at, event) in (1..).zip(&events) {
                batch.push(Serial::new(at), event.as_ref());
            }
            let mut found = Vec::new();
            for part in pack_events(&events).unwrap() {
                assert!(part.packed.len() < PART_BYTES * 2);
                to_events(&part, &mut found).unwrap();
            }
            assert_eq!(found, events);
            let parts: Vec<EventBatch> =
                parts(&batch).map(|part| to_batch(part).unwrap()).collect();
            let whole = [to_batch(pack(batch)).unwrap()];
            for batches in [&parts[..], &whole] {
                let found = batches.iter().flat_map(EventBatch::iter);
                let expected = (1..).map(Serial::new).zip(events.iter().map(Event::as_ref));
                assert!(found.eq(expected.take(events.len())));
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_unpacked_or_refused(
            packed in vec(prop_oneof![Just(0), any::<u8>()], 0..800),
            lengths in vec(prop_oneof![0..400u32, any::<u32>()], 0..5),
            serials in vec(any::<u64>(), 0..5),
        ) {
            let message = proto::Events { packed: packed.into(), lengths, serials };
            let mut events = Vec::new();
            if to_events(&message, &mut events).is_ok() {
                prop_assert_eq!(events.len(), message.lengths.len());
            }
            let lengths = message.lengths.len();
            if let Ok(batch) = to_batch(message) {
                prop_assert_eq!(batch.iter().count(), lengths);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_events_are_refused() {
        let good = pack_events(&events(&[5, 6])).unwrap().remove(0);
        let cases = [
            proto::Events { lengths: vec![good.lengths[0]], ..good.clone() },
            proto::Events { lengths: vec![u32::MAX, 1], ..good.clone() },
            proto::Events { packed: good.packed.slice(1..), ..good.clone() },
            proto::Events { lengths: vec![100, 49 + 150], ..good.clone() },
        ];
        for case in cases {
            assert!(to_events(&case, &mut Vec::new()).is_err(), "{:?}", case.lengths);
            let serials = vec![1; case.lengths.len()];
            assert!(to_batch(proto::Events { serials, ..case }).is_err());
        }
        assert!(to_batch(good).is_err(), "without serials");
    }
}
