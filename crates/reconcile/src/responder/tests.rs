use std::cell::RefCell;

use event::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::message::{Malformed, MessageWriter, Payload, Ranges};
use crate::{Fingerprint, Initiator, Selected, SortedVec, Summary};

fn id(number: u32) -> EventId {
    let mut bytes = [0x55; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    EventId::new(bytes)
}

fn set(numbers: impl Iterator<Item = u32>) -> SortedVec {
    numbers
        .map(|number| Item {
            created_at: Timestamp::from_secs((number / 100).into()),
            id: id(number),
        })
        .collect()
}

fn lists_nothing() -> Vec<u8> {
    let mut writer = MessageWriter::default();
    writer.id_list(Bound::Infinity, &[]);
    writer.finish()
}

#[test]
fn another_version_is_answered_with_ours() {
    let answer = Responder::default().answer(&set(0..9), &[0x62, 0xaa, 0xbb]).unwrap();
    assert_eq!(answer, Answer { message: vec![0x61], ..Answer::default() });
}

#[test]
fn what_is_no_version_is_an_error() {
    let answer = Responder::default().answer(&set(0..9), &[0x70]);
    assert_eq!(answer, Err(Error::Malformed(Malformed::NoVersion { byte: 0x70 })));
}

#[test]
fn the_reference_answers_an_empty_list_alike() {
    let only = Item { created_at: Timestamp::from_secs(12345), id: EventId::new([0xee; 32]) };
    let answer =
        Responder::default().answer(&SortedVec::from(vec![only]), &[0x61, 0, 0, 2, 0]).unwrap();
    assert_eq!(answer.message, [&[0x61, 0, 0, 2, 1][..], &[0xee; 32]].concat());
    assert_eq!((answer.have, answer.complete), (vec![only.id], false));
}

#[test]
fn equal_sets_are_complete_at_once() {
    let (_, message) = Initiator::open(&set(0..500), FrameSizeLimit::NONE, 9).unwrap();
    let answer = Responder::default().answer(&set(0..500), &message).unwrap();
    assert_eq!(answer, Answer { message: vec![0x61], complete: true, ..Answer::default() });
}

#[test]
fn a_list_tells_what_each_side_lacks() {
    let (ours, theirs) = (set(0..20), set(10..30));
    let (_, message) = Initiator::open(&theirs, FrameSizeLimit::NONE, 9).unwrap();
    let answer = Responder::default().answer(&ours, &message).unwrap();
    assert_eq!(answer.have, (0..10).map(id).collect::<Vec<_>>());
    assert_eq!(answer.need, (20..30).map(id).collect::<Vec<_>>());
    assert!(!answer.complete);
}

#[test]
fn a_list_stops_at_the_limit_and_the_rest_is_a_fingerprint() {
    let ours = set(0..1000);
    let limit = FrameSizeLimit::new(4096).unwrap();
    let answer = Responder::new(limit).answer(&ours, &lists_nothing()).unwrap();
    assert!(answer.message.len() <= 4096);
    let ranges: Vec<_> = Ranges::new(&answer.message[1..]).map(Result::unwrap).collect();
    let [list, rest] = ranges[..] else { panic!("two ranges, not {}", ranges.len()) };
    let Payload::IdList(ids) = list.payload else { panic!("a list first") };
    assert_eq!(answer.have, ids.iter().collect::<Vec<_>>());
    assert_eq!(list.upper, Bound::Before(ours.as_slice()[ids.len()]));
    let unlisted = ours.below(&Bound::Infinity).unwrap() - ours.below(&list.upper).unwrap();
    assert_eq!(rest.payload, Payload::Fingerprint(unlisted.fingerprint()));
}

/// Counts what a round asks of a set.
struct Counted {
    set: SortedVec,
    bounds: RefCell<Vec<Bound>>,
    selects: RefCell<usize>,
    visited: RefCell<usize>,
}

impl Set for Counted {
    type Error = std::convert::Infallible;

    fn below(&self, bound: &Bound) -> Result<Summary, Self::Error> {
        self.bounds.borrow_mut().push(*bound);
        self.set.below(bound)
    }

    fn select(&self, rank: u64) -> Result<Option<Selected>, Self::Error> {
        *self.selects.borrow_mut() += 1;
        self.set.select(rank)
    }

    fn items(
        &self,
        lower: &Bound,
        upper: &Bound,
        visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Result<(), Self::Error> {
        self.set.items(lower, upper, &mut |item| {
            *self.visited.borrow_mut() += 1;
            visit(item)
        })
    }
}

#[test]
fn each_bound_is_asked_for_once_and_no_item_is_read_without_need() {
    let (_, message) = Initiator::open(&set(0..5000), FrameSizeLimit::NONE, 9).unwrap();
    let ours = (1..5000).filter(|number| number % 1000 != 0);
    for limit in [0, 4096] {
        let counted = Counted {
            set: set(ours.clone()),
            bounds: RefCell::default(),
            selects: RefCell::default(),
            visited: RefCell::default(),
        };
        let limit = FrameSizeLimit::new(limit).unwrap();
        let answer = Responder::new(limit).answer(&counted, &message).unwrap();
        assert!(!answer.complete);
        let mut bounds = counted.bounds.take();
        let asked = bounds.len();
        bounds.sort_unstable();
        bounds.dedup();
        assert_eq!((asked, bounds.len()), (16, 16));
        assert_eq!((counted.selects.take(), counted.visited.take()), (5 * 15, 0));
    }
}

#[test]
fn a_set_that_contradicts_itself_is_an_error() {
    struct Wrong;
    impl Set for Wrong {
        type Error = std::convert::Infallible;

        fn below(&self, bound: &Bound) -> Result<Summary, Self::Error> {
            let count = if *bound == Bound::Infinity { 0_u64 } else { 9 };
            let mut bytes = [0; Summary::LEN];
            bytes[..8].copy_from_slice(&count.to_le_bytes());
            Ok(Summary::from_bytes(&bytes))
        }

        fn select(&self, _: u64) -> Result<Option<Selected>, Self::Error> {
            Ok(None)
        }

        fn items(
            &self,
            _: &Bound,
            _: &Bound,
            _: &mut dyn FnMut(Item) -> ControlFlow<()>,
        ) -> Result<(), Self::Error> {
            Ok(())
        }
    }
    let mut writer = MessageWriter::default();
    writer.skip(Bound::new(Timestamp::from_secs(5), &[]).unwrap());
    writer.fingerprint(Bound::Infinity, &Fingerprint::new([0; 16]));
    assert_eq!(Responder::default().answer(&Wrong, &writer.finish()), Err(Error::InconsistentSet));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(
        mut bytes in proptest::collection::vec(prop_oneof![0..4u8, any::<u8>()], 1..200),
        limit in prop_oneof![Just(0), Just(4096usize)],
    ) {
        bytes[0] = 0x61;
        let (ours, limit) = (set(0..300), FrameSizeLimit::new(limit).unwrap());
        let _ = Responder::new(limit).answer(&ours, &bytes);
        let (mut initiator, _) = Initiator::open(&ours, limit, 9).unwrap();
        let _ = initiator.step(&ours, &bytes);
    }
}
