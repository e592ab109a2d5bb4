//! Who was sent what and when: shared by the publishers and the subscribers of one thread.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Instant;

use event::hex;

use super::programme::Planned;
use crate::latency::Latencies;

/// The scoreboard of a run.
pub(super) struct Board {
    by_id: HashMap<[u8; 16], usize>,
    events: Vec<Score>,
    /// Events handed to a publisher.
    pub(super) taken: Cell<usize>,
    pub(super) received: Cell<usize>,
    pub(super) last_received: Cell<Instant>,
    pub(super) delivery: RefCell<Latencies>,
}

#[derive(Default)]
struct Score {
    sent_at: Cell<Option<Instant>>,
    is_refused: Cell<bool>,
    expected: u32,
    received: Cell<u32>,
}

/// Expected against received deliveries.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) expected: usize,
    pub(super) lost: usize,
    pub(super) unexpected: usize,
}

impl Board {
    /// Starts with nothing sent.
    pub(super) fn new(events: &[Planned]) -> Self {
        let key = |planned: &Planned| key(hex::encode(&planned.id).as_bytes());
        Self {
            by_id: events
                .iter()
                .enumerate()
                .map(|(index, planned)| (key(planned), index))
                .collect(),
            events: events
                .iter()
                .map(|planned| Score { expected: planned.expected, ..Score::default() })
                .collect(),
            taken: Cell::new(0),
            received: Cell::new(0),
            last_received: Cell::new(Instant::now()),
            delivery: RefCell::default(),
        }
    }

    /// Notes that an event goes out now.
    pub(super) fn note_sent(&self, index: usize) {
        self.events[index].sent_at.set(Some(Instant::now()));
    }

    /// Notes the relay's verdict; returns when the event went out.
    pub(super) fn note_verdict(&self, id: &[u8], is_accepted: bool) -> Option<Instant> {
        let score = &self.events[*self.by_id.get(&key(id))?];
        score.is_refused.set(!is_accepted);
        score.sent_at.get()
    }

    /// Notes a delivery that was read at `now`; one of an event of another run is ignored.
    pub(super) fn note_received(&self, id: &[u8], now: Instant) {
        let Some(score) = self.by_id.get(&key(id)).map(|&index| &self.events[index]) else {
            return;
        };
        score.received.set(score.received.get() + 1);
        self.received.set(self.received.get() + 1);
        self.last_received.set(now);
        if let Some(sent_at) = score.sent_at.get() {
            self.delivery.borrow_mut().push(now.saturating_duration_since(sent_at));
        }
    }

    /// Sums up the events that were sent and not refused.
    pub(super) fn balance(&self) -> Balance {
        let mut balance = Balance::default();
        for score in self.events.iter().filter(|score| score.sent_at.get().is_some()) {
            let expected = if score.is_refused.get() { 0 } else { score.expected };
            let received = score.received.get();
            balance.expected += expected as usize;
            balance.lost += expected.saturating_sub(received) as usize;
            balance.unexpected += received.saturating_sub(expected) as usize;
        }
        balance
    }
}

fn key(id: &[u8]) -> [u8; 16] {
    id.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_and_unexpected_deliveries_do_not_cancel_out() {
        let planned = |byte, expected| Planned { json: Vec::new(), id: [byte; 32], expected };
        let events = [planned(1, 2), planned(2, 1), planned(3, 5), planned(4, 9)];
        let board = Board::new(&events);
        (0..3).for_each(|index| board.note_sent(index));
        let id = |byte: u8| hex::encode(&[byte; 32]);
        board.note_received(id(1).as_bytes(), Instant::now());
        board.note_received(id(2).as_bytes(), Instant::now());
        board.note_received(id(2).as_bytes(), Instant::now());
        board.note_verdict(id(3).as_bytes(), false);
        assert_eq!(board.balance(), Balance { expected: 3, lost: 1, unexpected: 1 });
    }
}
