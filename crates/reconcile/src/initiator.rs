//! The side that asks, and learns which ids each side lacks.

use std::collections::HashSet;
use std::ops::ControlFlow;

use event::EventId;

use crate::message::{self, IdList, VERSION};
use crate::round::{Flow, Round};
use crate::{Bound, Error, FrameSizeLimit, Item, Set};

/// How many rounds in a row may tell of no id.
///
/// Each round divides the lowest range that differs by sixteen at least, so sixteen rounds name an id of any set
/// that 64 bits can count.
const PATIENCE: u32 = 32;

/// A reconciliation under way, as the side that began it sees it.
///
/// Keeps no set: each message may be answered from a newer snapshot.
#[derive(Clone, Debug)]
pub struct Initiator {
    frame_size_limit: FrameSizeLimit,
    max_rounds: u32,
    rounds: u32,
    fruitless: u32,
}

/// All there is to an [`Initiator`], for who keeps it in another process than its set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitiatorState {
    /// The cap on the messages it writes.
    pub frame_size_limit: FrameSizeLimit,
    /// How many messages of the responder are read at most.
    pub max_rounds: u32,
    /// How many were read.
    pub rounds: u32,
    /// How many of the last ones told of no id.
    pub fruitless: u32,
}

/// What one message of the responder led to.
///
/// After a message was cut by a frame size limit, an id may be reported once more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Ids we have and the peer lacks.
    pub have: Vec<EventId>,
    /// Ids the peer has and we lack.
    pub need: Vec<EventId>,
    /// The message to send; `None` once all is reconciled.
    pub next: Option<Vec<u8>>,
}

impl Initiator {
    /// Begins, and returns the first message; `max_rounds` bounds how many messages of the peer are read.
    pub fn open<S: Set + ?Sized>(
        set: &S,
        frame_size_limit: FrameSizeLimit,
        max_rounds: u32,
    ) -> Result<(Self, Vec<u8>), Error<S::Error>> {
        let mut round = Round::new(set, frame_size_limit);
        let (none, all) = (round.below(Bound::ZERO)?, round.below(Bound::Infinity)?);
        round.split(Bound::Infinity, none, all)?;
        Ok((Self { frame_size_limit, max_rounds, rounds: 0, fruitless: 0 }, round.out.finish()))
    }

    /// Reads the responder's message and finds what to ask next.
    pub fn step<S: Set + ?Sized>(
        &mut self,
        set: &S,
        message: &[u8],
    ) -> Result<Step, Error<S::Error>> {
        if self.rounds == self.max_rounds {
            return Err(Error::TooManyRounds { limit: self.max_rounds });
        }
        self.rounds += 1;
        let (version, body) = message::split_version(message)?;
        if version != VERSION {
            return Err(Error::UnsupportedVersion { version });
        }
        let mut round = Round::new(set, self.frame_size_limit);
        round.read(body, learn)?;
        let Round { out, have, need, .. } = round;
        let next = if out.is_settled() { None } else { Some(out.finish()) };
        let fruitful = next.is_none() || !have.is_empty() || !need.is_empty();
        self.fruitless = if fruitful { 0 } else { self.fruitless + 1 };
        if self.fruitless > PATIENCE {
            return Err(Error::NoProgress { rounds: PATIENCE });
        }
        Ok(Step { have, need, next })
    }

    /// How many messages of the responder were read.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }
}

impl From<&Initiator> for InitiatorState {
    fn from(initiator: &Initiator) -> Self {
        let &Initiator { frame_size_limit, max_rounds, rounds, fruitless } = initiator;
        Self { frame_size_limit, max_rounds, rounds, fruitless }
    }
}

impl From<InitiatorState> for Initiator {
    fn from(state: InitiatorState) -> Self {
        let InitiatorState { frame_size_limit, max_rounds, rounds, fruitless } = state;
        Self { frame_size_limit, max_rounds, rounds, fruitless }
    }
}

/// Settles a range that the responder has listed.
fn learn<S: Set + ?Sized>(
    round: &mut Round<'_, S>,
    upper: Bound,
    theirs: IdList<'_>,
) -> Flow<S::Error> {
    let mut unseen: HashSet<EventId> = theirs.iter().collect();
    let Round { set, have, need, lower, .. } = round;
    let visit = &mut |item: Item| {
        if !unseen.remove(&item.id) {
            have.push(item.id);
        }
        ControlFlow::Continue(())
    };
    set.items(lower, &upper, visit).map_err(Error::Set)?;
    need.extend(theirs.iter().filter(|id| unseen.remove(id)));
    Ok(ControlFlow::Continue(()))
}

#[cfg(test)]
mod tests;
