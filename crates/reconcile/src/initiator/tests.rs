use event::Timestamp;

use super::*;
use crate::message::MessageWriter;
use crate::{Responder, SortedVec};

fn set(numbers: impl Iterator<Item = u8>) -> SortedVec {
    numbers
        .map(|number| Item {
            created_at: Timestamp::from_secs(number.into()),
            id: EventId::new([number; 32]),
        })
        .collect()
}

fn open(set: &SortedVec, max_rounds: u32) -> Initiator {
    Initiator::open(set, FrameSizeLimit::NONE, max_rounds).unwrap().0
}

#[test]
fn an_empty_set_asks_with_an_empty_list() {
    let (_, message) = Initiator::open(&set(0..0), FrameSizeLimit::NONE, 9).unwrap();
    assert_eq!(message, [0x61, 0, 0, 2, 0]);
}

#[test]
fn fewer_than_32_items_are_listed_and_32_are_split() {
    let ranges = |count| {
        let (_, message) = Initiator::open(&set(0..count), FrameSizeLimit::NONE, 9).unwrap();
        let is_list =
            |range: message::Range<'_>| matches!(range.payload, message::Payload::IdList(_));
        message::Ranges::new(&message[1..]).map(|range| is_list(range.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(ranges(31), [true]);
    assert_eq!(ranges(32), [false; 16]);
}

#[test]
fn a_bare_version_byte_ends_it() {
    let ours = set(0..9);
    assert_eq!(open(&ours, 9).step(&ours, &[0x61]), Ok(Step::default()));
}

#[test]
fn an_empty_responder_lacks_everything() {
    let (ours, theirs) = (set(0..200), set(0..0));
    let (mut initiator, message) = Initiator::open(&ours, FrameSizeLimit::NONE, 9).unwrap();
    let answer = Responder::default().answer(&theirs, &message).unwrap();
    let step = initiator.step(&ours, &answer.message).unwrap();
    assert_eq!((step.have.len(), step.need.len(), step.next), (200, 0, None));
}

#[test]
fn another_version_is_an_error() {
    let ours = set(0..9);
    assert_eq!(
        open(&ours, 9).step(&ours, &[0x60]),
        Err(Error::UnsupportedVersion { version: 0x60 })
    );
}

#[test]
fn an_id_listed_twice_is_needed_once() {
    let ours = set(0..0);
    let mut writer = MessageWriter::default();
    writer.id_list(Bound::Infinity, &[EventId::new([7; 32]); 2]);
    let step = open(&ours, 9).step(&ours, &writer.finish()).unwrap();
    assert_eq!(step.need, [EventId::new([7; 32])]);
}

#[test]
fn a_responder_that_always_differs_is_given_up() {
    let ours = set(0..200);
    let mut initiator = open(&ours, u32::MAX);
    let mut writer = MessageWriter::default();
    writer.fingerprint(Bound::Infinity, &crate::Fingerprint::new([0; 16]));
    let message = writer.finish();
    let error = (0..100).find_map(|_| initiator.step(&ours, &message).err());
    assert_eq!(error, Some(Error::NoProgress { rounds: PATIENCE }));
}

#[test]
fn a_responder_that_always_has_news_is_given_up() {
    let ours = set(0..200);
    let mut initiator = open(&ours, 50);
    let news = |number: u8| {
        let mut writer = MessageWriter::default();
        writer.id_list(
            Bound::new(Timestamp::from_secs(1), &[]).unwrap(),
            &[EventId::new([number; 32])],
        );
        writer.fingerprint(Bound::Infinity, &crate::Fingerprint::new([0; 16]));
        writer.finish()
    };
    let error = (0..100).find_map(|number| initiator.step(&ours, &news(number)).err());
    assert_eq!(error, Some(Error::TooManyRounds { limit: 50 }));
    assert_eq!(initiator.rounds(), 50);
}
