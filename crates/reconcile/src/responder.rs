//! The side that answers, and remembers nothing between messages.

use std::collections::HashSet;
use std::ops::ControlFlow;

use event::EventId;

use crate::message::{self, IdList, VERSION};
use crate::round::{Flow, Round};
use crate::{Bound, Error, FrameSizeLimit, Item, Set};

/// Answers the messages of initiators, each from the set given with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Responder {
    frame_size_limit: FrameSizeLimit,
}

/// What one message of an initiator is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The message to send.
    pub message: Vec<u8>,
    /// Ids we have and the peer lacks, as far as this message tells.
    pub have: Vec<EventId>,
    /// Ids the peer has and we lack, as far as this message tells; lists cut by the frame size limit tell nothing.
    pub need: Vec<EventId>,
    /// Whether the initiator has nothing left to ask.
    pub complete: bool,
}

impl Responder {
    /// Takes the cap on the messages it writes.
    pub fn new(frame_size_limit: FrameSizeLimit) -> Self {
        Self { frame_size_limit }
    }

    /// Answers one message; one of another protocol version with the version we speak.
    pub fn answer<S: Set + ?Sized>(
        &self,
        set: &S,
        message: &[u8],
    ) -> Result<Answer, Error<S::Error>> {
        let (version, body) = message::split_version(message)?;
        if version != VERSION {
            return Ok(Answer { message: vec![VERSION], ..Answer::default() });
        }
        let mut round = Round::new(set, self.frame_size_limit);
        round.read(body, list)?;
        let Round { out, have, need, .. } = round;
        Ok(Answer { complete: out.is_settled(), message: out.finish(), have, need })
    }
}

/// Answers a list with our own, as far as the message has room.
fn list<S: Set + ?Sized>(
    round: &mut Round<'_, S>,
    upper: Bound,
    theirs: IdList<'_>,
) -> Flow<S::Error> {
    round.write_skip();
    let mut unseen: HashSet<EventId> = theirs.iter().collect();
    let mut ours = Vec::new();
    let mut end = upper;
    let Round { set, limit, out, have, lower, .. } = round;
    let visit = &mut |item: Item| {
        if limit.is_reached(out.len() + ours.len() * EventId::LEN) {
            end = Bound::Before(item);
            return ControlFlow::Break(());
        }
        ours.push(item.id);
        if !unseen.remove(&item.id) {
            have.push(item.id);
        }
        ControlFlow::Continue(())
    };
    set.items(lower, &upper, visit).map_err(Error::Set)?;
    out.id_list(end, &ours);
    if end == upper {
        round.need.extend(theirs.iter().filter(|id| unseen.remove(id)));
    }
    if round.limit.is_reached(round.out.len()) {
        round.cut()
    } else {
        Ok(ControlFlow::Continue(()))
    }
}

#[cfg(test)]
mod tests;
