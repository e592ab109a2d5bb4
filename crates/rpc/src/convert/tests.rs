//! What goes out comes back, and what the original sends is understood.

use std::collections::BTreeMap;

use event::{Draft, Event, EventId, Filter, Keys, Kind, Pubkey, Timestamp, Verifier, escaped, hex};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::bytes::Bytes;

use crate::proto::{orlydb, orlysync};

fn event(kind: u16, created_at: u64, tags: Vec<Vec<String>>, content: String) -> Event {
    let created_at = Timestamp::from_secs(created_at);
    let draft = Draft { created_at, kind: Kind::new(kind), tags, content };
    Keys::from_secret([7; 32]).unwrap().sign(&draft)
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values.dedup();
    values
}

prop_compose! {
    fn filters()(
        ids in option::of(vec(any::<[u8; 32]>(), 0..3)),
        authors in option::of(vec(any::<[u8; 32]>(), 0..3)),
        kinds in option::of(vec(any::<u16>(), 0..3)),
        tags in btree_map("[a-zA-Z]", vec(any::<String>(), 0..3), 0..3),
        since in option::of(0..1u64 << 41),
        until in option::of(1..1u64 << 41),
        limit in option::of(0..u64::from(u32::MAX)),
        search in option::of(any::<String>()),
    ) -> Filter {
        let tags = tags.into_iter().map(|(letter, values)| {
            let values = values.iter().map(|value| escaped(value).into()).collect();
            (letter.as_bytes()[0], sorted(values))
        });
        // 32 and 33 bytes are taken for an id or a key: digits are what such values hold.
        let tags: BTreeMap<u8, Vec<Box<str>>> = tags.map(|(letter, values): (u8, Vec<Box<str>>)| {
            (letter, values.into_iter().filter(|value| value.len() < 32).collect())
        }).collect();
        Filter {
            ids: ids.map(|ids| sorted(ids.into_iter().map(EventId::new).collect())),
            authors: authors.map(|keys| sorted(keys.into_iter().map(Pubkey::new).collect())),
            kinds: kinds.map(|kinds| sorted(kinds.into_iter().map(Kind::new).collect())),
            tags,
            since: since.map(Timestamp::from_secs),
            until: until.map(Timestamp::from_secs),
            limit,
            search: search.map(Into::into),
        }
    }
}

proptest! {
    #[test]
    fn events_come_back(
        kind: u16,
        created_at in 0..1u64 << 40,
        tags in vec(vec(any::<String>(), 0..4), 0..4),
        content: String,
    ) {
        let event = event(kind, created_at, tags, content);
        let wire = orlydb::v1::Event::from(event.as_ref());
        prop_assert_eq!(&Event::try_from(wire).unwrap(), &event);
        let wire = orlysync::common::v1::Event::from(event.as_ref());
        prop_assert_eq!(&Event::try_from(wire).unwrap(), &event);
    }

    #[test]
    fn filters_come_back(filter in filters()) {
        let back = Filter::try_from(orlydb::v1::Filter::from(&filter)).unwrap();
        let common = Filter::try_from(orlysync::common::v1::Filter::from(&filter)).unwrap();
        prop_assert_eq!(&back, &common);
        if filter.is_empty() {
            prop_assert!(back.is_empty());
        } else {
            prop_assert_eq!(back, filter);
        }
    }
}

#[test]
fn packed_ids_and_keys_in_tags_are_understood() {
    let (id, key) = (hex::encode(&[0xe1; 32]), hex::encode(&[0x41; 32]));
    let tags = vec![vec!["e".into(), id], vec!["p".into(), key, "wss://x".into()]];
    let event = event(1, 1, tags, String::new());
    let mut wire = orlydb::v1::Event::from(event.as_ref());
    for (tag, byte) in wire.tags.iter_mut().zip([0xe1, 0x41]) {
        tag.values[1] = [&[byte; 32][..], &[0]].concat().into();
    }
    let back = Event::try_from(wire).unwrap();
    assert_eq!(back, event);
    assert_eq!(Verifier::default().verify(back.as_ref()), Ok(()));
}

#[test]
fn tags_of_a_filter_take_any_form_of_a_key() {
    let digits = hex::encode(&[0x41; 32]);
    let packed = [&[0x41; 32][..], &[0]].concat();
    for (key, value) in [
        ("p", digits.clone().into_bytes()),
        ("#p", digits.clone().into_bytes()),
        ("p", packed.clone()),
        ("#e", packed),
        ("e", vec![0x41; 32]),
    ] {
        let set = orlydb::v1::TagSet { values: vec![value.into()] };
        let tags = [(key.to_owned(), set)].into();
        let filter = Filter::try_from(orlydb::v1::Filter { tags, ..Default::default() }).unwrap();
        let letter = *key.as_bytes().last().unwrap();
        assert_eq!(filter.tags[&letter], [digits.clone().into()], "{key}");
    }
}

#[test]
fn an_absent_limit_is_none_and_zero_is_zero() {
    for limit in [None, Some(0), Some(7)] {
        let wire = orlydb::v1::Filter { limit, ..Default::default() };
        assert_eq!(Filter::try_from(wire).unwrap().limit, limit.map(u64::from));
    }
}

#[test]
fn times_of_zero_are_none_as_the_original_writes_them() {
    let wire = orlydb::v1::Filter { since: Some(0), until: Some(0), ..Default::default() };
    let note = event(1, 1_700_000_000, vec![], String::new());
    assert!(Filter::try_from(wire).unwrap().matches(note.as_ref()));
}

#[test]
fn each_wrong_field_of_an_event_is_named() {
    let good = orlydb::v1::Event::from(event(1, 1, vec![], String::new()).as_ref());
    let no_text = Bytes::from_static(&[0xff]);
    let tag = orlydb::v1::Tag { values: vec![no_text.clone()] };
    let cases = [
        (orlydb::v1::Event { id: Bytes::new(), ..good.clone() }, "id: expected 32 bytes, found 0"),
        (
            orlydb::v1::Event { sig: vec![0; 32].into(), ..good.clone() },
            "sig: expected 64 bytes, found 32",
        ),
        (orlydb::v1::Event { kind: 65536, ..good.clone() }, "kind: 65536 is more than 65535"),
        (
            orlydb::v1::Event { created_at: -1, ..good.clone() },
            "created_at: -1 is not between 0 and 1099511627775",
        ),
        (orlydb::v1::Event { content: no_text, ..good.clone() }, "content: not valid UTF-8"),
        (orlydb::v1::Event { tags: vec![tag], ..good }, "tags: not valid UTF-8"),
    ];
    for (wire, message) in cases {
        assert_eq!(Event::try_from(wire).unwrap_err().to_string(), message);
    }
}

#[test]
fn each_wrong_field_of_a_filter_is_named() {
    let wire = orlydb::v1::Filter::default;
    let tag = |key: &str, value: &'static [u8]| {
        let set = orlydb::v1::TagSet { values: vec![value.into()] };
        orlydb::v1::Filter { tags: [(key.to_owned(), set)].into(), ..wire() }
    };
    let cases = [
        (
            orlydb::v1::Filter { ids: vec![vec![0; 31].into()], ..wire() },
            "filter.ids: expected 32 bytes, found 31",
        ),
        (
            orlydb::v1::Filter { kinds: vec![70_000], ..wire() },
            "filter.kinds: one is more than 65535",
        ),
        (orlydb::v1::Filter { until: Some(-1), ..wire() }, "filter.until: -1 is before 1970"),
        (tag("tt", b"x"), "filter.tags[\"tt\"]: only tags of one letter can be asked for"),
        (tag("t", &[0xff]), "filter.tags[\"t\"]: not valid UTF-8"),
    ];
    for (wire, message) in cases {
        assert_eq!(Filter::try_from(wire).unwrap_err().to_string(), message);
    }
}
