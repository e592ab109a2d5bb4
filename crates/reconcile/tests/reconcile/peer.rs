//! Both engines behind one face, and the loop that lets two of them talk.

use std::collections::BTreeSet;

use negentropy::{Id, Negentropy, NegentropyStorageVector, Storage};
use reconcile::{FrameSizeLimit, Initiator, Item, Responder, SortedVec};

/// Which implementation plays a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Ours,
    Crate,
}

/// One side of a reconciliation.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) engine: Engine,
    pub(crate) items: &'a [Item],
    pub(crate) limit: usize,
}

/// What the initiator learnt, and every byte that went over the wire.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) have: BTreeSet<[u8; 32]>,
    pub(crate) need: BTreeSet<[u8; 32]>,
    /// Ids reported more than once.
    pub(crate) repeated: usize,
    pub(crate) messages: Vec<Vec<u8>>,
}

type Answering<'a> = Box<dyn FnMut(&[u8]) -> Vec<u8> + 'a>;
type Learnt = (Vec<[u8; 32]>, Vec<[u8; 32]>, Option<Vec<u8>>);
type Stepping<'a> = Box<dyn FnMut(&[u8]) -> Learnt + 'a>;

/// More rounds than any case here takes.
const MAX_ROUNDS: usize = 5_000;

/// Runs a reconciliation to its end.
pub(crate) fn reconcile(initiator: Side<'_>, responder: Side<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut step, first) = initiate(initiator);
    let mut answer = respond(responder);
    let mut next = Some(first);
    while let Some(message) = next {
        assert!(outcome.messages.len() < 2 * MAX_ROUNDS, "no end after {MAX_ROUNDS} rounds");
        assert!(initiator.limit == 0 || message.len() <= initiator.limit);
        let reply = answer(&message);
        assert!(responder.limit == 0 || reply.len() <= responder.limit);
        let (have, need, following) = step(&reply);
        outcome.repeated += have.into_iter().filter(|id| !outcome.have.insert(*id)).count();
        outcome.repeated += need.into_iter().filter(|id| !outcome.need.insert(*id)).count();
        outcome.messages.extend([message, reply]);
        next = following;
    }
    outcome
}

/// What a reconciliation of these sets has to find: ids only the first has, ids only the second has.
pub(crate) fn differences(
    left: &[Item],
    right: &[Item],
) -> (BTreeSet<[u8; 32]>, BTreeSet<[u8; 32]>) {
    let ids =
        |items: &[Item]| items.iter().map(|item| *item.id.as_bytes()).collect::<BTreeSet<_>>();
    let (left, right) = (ids(left), ids(right));
    (left.difference(&right).copied().collect(), right.difference(&left).copied().collect())
}

fn initiate(side: Side<'_>) -> (Stepping<'_>, Vec<u8>) {
    match side.engine {
        Engine::Ours => {
            let set = SortedVec::from(side.items.to_vec());
            let limit = FrameSizeLimit::new(side.limit).expect("a limit in range");
            let (mut initiator, first) = Initiator::open(&set, limit, u32::MAX).expect("opens");
            let bytes = |ids: Vec<event::EventId>| ids.iter().map(|id| *id.as_bytes()).collect();
            let step = move |message: &[u8]| {
                let step = initiator.step(&set, message).expect("goes on");
                (bytes(step.have), bytes(step.need), step.next)
            };
            (Box::new(step), first)
        }
        Engine::Crate => {
            let mut engine = theirs(side);
            let first = engine.initiate().expect("opens");
            let step = move |message: &[u8]| {
                let (mut have, mut need) = (Vec::new(), Vec::new());
                let next =
                    engine.reconcile_with_ids(message, &mut have, &mut need).expect("goes on");
                let bytes = |ids: Vec<Id>| ids.into_iter().map(Id::to_bytes).collect();
                (bytes(have), bytes(need), next)
            };
            (Box::new(step), first)
        }
    }
}

fn respond(side: Side<'_>) -> Answering<'_> {
    match side.engine {
        Engine::Ours => {
            let set = SortedVec::from(side.items.to_vec());
            let responder =
                Responder::new(FrameSizeLimit::new(side.limit).expect("a limit in range"));
            Box::new(move |message| responder.answer(&set, message).expect("answers").message)
        }
        Engine::Crate => {
            let mut engine = theirs(side);
            Box::new(move |message| engine.reconcile(message).expect("answers"))
        }
    }
}

fn theirs(side: Side<'_>) -> Negentropy<'static, NegentropyStorageVector> {
    let mut storage = NegentropyStorageVector::new();
    for item in side.items {
        let id = Id::from_byte_array(*item.id.as_bytes());
        storage.insert(item.created_at.as_secs(), id).expect("not sealed");
    }
    storage.seal().expect("not sealed");
    Negentropy::new(Storage::Owned(storage), side.limit as u64).expect("a limit in range")
}
