use event::{EventId, Timestamp};
use proptest::prelude::*;

use super::*;

const MODES: u64 = 3;

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Skip,
    Fingerprint([u8; 16]),
    IdList(Vec<EventId>),
}

fn ids() -> impl Strategy<Value = EventId> {
    any::<[u8; 32]>().prop_map(EventId::new)
}

fn bounds() -> impl Strategy<Value = Bound> {
    let secs = prop_oneof![0..5u64, any::<u64>().prop_map(|secs| secs.min(u64::MAX - 1))];
    let prefix = proptest::collection::vec(any::<u8>(), 0..=32);
    let finite = (secs, prefix).prop_map(|(secs, prefix)| {
        Bound::new(Timestamp::from_secs(secs), &prefix).expect("at most 32 bytes")
    });
    prop_oneof![9 => finite, 1 => Just(Bound::Infinity)]
}

fn payloads() -> impl Strategy<Value = Said> {
    prop_oneof![
        Just(Said::Skip),
        any::<[u8; 16]>().prop_map(Said::Fingerprint),
        proptest::collection::vec(ids(), 0..4).prop_map(Said::IdList),
    ]
}

fn write(bounds: &[Bound], payloads: &[Said]) -> Vec<u8> {
    let mut writer = MessageWriter::default();
    for (upper, said) in bounds.iter().zip(payloads) {
        match said {
            Said::Skip => writer.skip(*upper),
            Said::Fingerprint(bytes) => writer.fingerprint(*upper, &Fingerprint::new(*bytes)),
            Said::IdList(ids) => writer.id_list(*upper, ids),
        }
    }
    writer.finish()
}

fn read(message: &[u8]) -> Result<Vec<(Bound, Said)>, Malformed> {
    let (_, body) = split_version(message)?;
    let said = |payload| match payload {
        Payload::Skip => Said::Skip,
        Payload::Fingerprint(fingerprint) => Said::Fingerprint(*fingerprint.as_bytes()),
        Payload::IdList(list) => Said::IdList(list.iter().collect()),
    };
    Ranges::new(body).map(|range| range.map(|range| (range.upper, said(range.payload)))).collect()
}

#[track_caller]
fn refuse(message: &[u8], expected: Malformed) {
    assert_eq!(read(message), Err(expected));
}

#[test]
fn a_count_without_its_last_digit_is_refused() {
    refuse(&[0x61, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0xf0], Malformed::Truncated);
}

#[test]
fn more_ids_than_the_message_holds_are_refused() {
    refuse(
        &[0x61, 0, 0, 2, 0xff, 0xff, 0xff, 0xff, 0x70],
        Malformed::IdListTooLong { len: 0x7_ffff_fff0, room: 0 },
    );
    let short = [&[0x61, 0, 0, 2, 2][..], &[7; 63]].concat();
    refuse(&short, Malformed::IdListTooLong { len: 2, room: 1 });
}

#[test]
fn a_message_begins_with_a_version() {
    refuse(&[], Malformed::Empty);
    refuse(&[0x5f], Malformed::NoVersion { byte: 0x5f });
    refuse(&[0x70], Malformed::NoVersion { byte: 0x70 });
    assert_eq!(split_version(&[0x62, 9]), Ok((0x62, &[9][..])));
}

#[test]
fn prefixes_have_at_most_32_bytes() {
    refuse(&[&[0x61, 5, 33][..], &[0; 40]].concat(), Malformed::PrefixTooLong { len: 33 });
    refuse(&[&[0x61, 5, 32][..], &[0; 31]].concat(), Malformed::Truncated);
    assert!(read(&[&[0x61, 5, 32][..], &[9; 32], &[0]].concat()).is_ok());
}

#[test]
fn infinity_has_no_prefix() {}

#[test]
fn bounds_ascend() {
    refuse(&[0x61, 5, 1, 9, 0, 1, 1, 8, 0], Malformed::BoundOutOfOrder);
    refuse(&[0x61, 5, 1, 9, 0, 1, 0, 0], Malformed::BoundOutOfOrder);
    refuse(&[0x61, 0, 0, 0, 1, 0, 0], Malformed::BoundOutOfOrder);
    assert!(read(&[0x61, 5, 1, 9, 0, 1, 1, 9, 0]).is_ok(), "an empty range is no error");
    assert!(read(&[0x61, 0, 0, 0, 0, 0, 0]).is_ok(), "an empty range at infinity is no error");
}

#[test]
fn times_stay_below_the_reserved_one() {
    let largest = [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    assert!(read(&[&[0x61][..], &largest, &[0, 0]].concat()).is_ok());
    refuse(&[&[0x61][..], &largest, &[0, 0], &[2, 0, 0]].concat(), Malformed::TimestampTooLarge);
    refuse(&[&[0x61, 2, 0, 0][..], &largest, &[0, 0]].concat(), Malformed::TimestampTooLarge);
}

#[test]
fn bytes_after_the_last_range_are_refused() {
    refuse(&[0x61, 0, 0, 0, 7], Malformed::Truncated);
    refuse(&[0x61, 5, 0, 0, 0, 0, 3], Malformed::UnknownMode { mode: MODES });
}

#[test]
fn a_fingerprint_has_sixteen_bytes() {
    refuse(&[&[0x61, 0, 0, 1][..], &[7; 15]].concat(), Malformed::Truncated);
}

#[test]
fn reading_ends_at_the_first_error() {
    let mut ranges = Ranges::new(&[0, 0, 9, 0, 0, 0]);
    assert_eq!(ranges.next(), Some(Err(Malformed::UnknownMode { mode: 9 })));
    assert_eq!(ranges.next(), None);
}

#[test]
fn what_was_taken_back_leaves_no_trace() {
    let before = Bound::new(Timestamp::from_secs(5), &[1]).unwrap();
    let after = Bound::new(Timestamp::from_secs(9), &[]).unwrap();
    let mut writer = MessageWriter::default();
    writer.skip(before);
    let mark = writer.mark();
    let mut other = writer.clone();
    other.skip(Bound::Infinity);
    other.truncate(mark);
    writer.skip(after);
    other.skip(after);
    assert_eq!(writer.finish(), other.finish());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        mut bounds in proptest::collection::vec(bounds(), 0..8),
        payloads in proptest::collection::vec(payloads(), 8),
    ) {
        bounds.sort_unstable();
        let message = write(&bounds, &payloads);
        let expected: Vec<_> = bounds.iter().copied().zip(payloads).collect();
        prop_assert_eq!(read(&message), Ok(expected));
    }

    #[test]
    fn a_message_cut_short_is_an_error_or_ends_at_a_range(
        mut bounds in proptest::collection::vec(bounds(), 1..4),
        payloads in proptest::collection::vec(payloads(), 4),
        cut in any::<prop::sample::Index>(),
    ) {
        bounds.sort_unstable();
        let message = write(&bounds, &payloads);
        let whole = read(&message).expect("well formed");
        if let Ok(ranges) = read(&message[..1 + cut.index(message.len())]) {
            prop_assert_eq!(&ranges[..], &whole[..ranges.len()]);
        }
    }

    #[test]
    fn random_bytes_never_panic(mut bytes in proptest::collection::vec(prop_oneof![0..4u8, any::<u8>()], 1..200)) {
        bytes[0] = VERSION;
        let _ = read(&bytes);
    }
}
