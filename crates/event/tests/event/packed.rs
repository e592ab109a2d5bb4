//! Packed events from a disk or another process that is damaged or means harm.

use event::{
    Address, Deletion, EventRef, Filter, Timestamp, Verifier, has_valid_id, id_of,
    is_vanish_request,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::wire::{signed, tags};

/// Where the length of the tags stands.
const TAGS_LEN: std::ops::Range<usize> = 140..144;

/// Looks at everything an event has.
fn look_at(event: EventRef<'_>) {
    let (tags, text) = (event.tags(), event.to_json());
    let values = tags.iter().flat_map(|tag| tag.values().collect::<Vec<_>>());
    let read = values.map(|value| event::unescaped(value).len()).sum::<usize>();
    assert!(read <= tags.as_json().len());
    assert!(event.content().len() <= event.as_bytes().len() && !text.is_empty());
    for (letter, value) in tags.indexed() {
        let _ = event.has_tag(letter, value);
    }
    let filter = r##"{"#e":["a","b"],"#p":["x"],"search":"word"}"##;
    Filter::from_json(filter).expect("it is one").matches(event);
    let _ = (event.is_party(&event.pubkey()), event.is_expired(Timestamp::from_secs(5)));
    let _ =
        (Address::of(event), Deletion::of(event), is_vanish_request(event, &["wss://a".into()]));
    let _ = (has_valid_id(event), id_of(event), Verifier::default().verify(event));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_bytes_are_refused_or_can_be_looked_at(
        mut bytes in vec(prop_oneof![any::<u8>(), Just(b'['), Just(b'"'), Just(b'\\'), Just(b',')], 0..400),
        len in 0..300u32,
        kind in prop_oneof![Just(5u16), Just(62), Just(30023), any::<u16>()],
    ) {
        if let Some(place) = bytes.get_mut(TAGS_LEN) {
            place.copy_from_slice(&len.to_be_bytes());
            bytes[138..140].copy_from_slice(&kind.to_be_bytes());
        }
        if let Ok(event) = EventRef::from_bytes(&bytes) {
            look_at(event);
        }
    }

    #[test]
    fn a_damaged_event_can_be_looked_at(
        tags in tags(),
        content in any::<String>(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = signed(5, tags, content).as_ref().as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(event) = EventRef::from_bytes(&bytes) {
            look_at(event);
        }
    }
}
