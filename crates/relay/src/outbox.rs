//! What waits to be sent to a client, counted in bytes: whoever reads too slowly is let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use event::{Event, EventId, RelayMessage};
use futures_util::task::AtomicWaker;
use store::Serial;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::room::{Place, Room};
use crate::subscriptions::Subscription;

/// What a message costs beside its text.
const OVERHEAD: usize = 64;
/// What may wait for a client in any case.
const SMALL: usize = 64 << 10;

/// A message on its way to one client.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// JSON, ready to be sent.
    Text { json: Vec<u8>, _place: Place },
    /// A new event for a subscription; the session checks that it may be seen and was not sent.
    Live { subscription: Arc<Subscription>, event: Arc<LiveEvent> },
    /// Something was to be sent, and too much waited.
    Overflow,
}

/// A new event, shared by all who get it.
#[derive(Debug)]
pub(crate) struct LiveEvent {
    /// Its serial; `None` for what is never stored.
    pub(crate) serial: Option<Serial>,
    pub(crate) event: Event,
    pub(crate) json: Vec<u8>,
    /// What it takes, for as long as it waits anywhere.
    pub(crate) _place: Place,
}

/// The end of whoever has something to say to a client.
#[derive(Debug)]
pub(crate) struct Outbox {
    queue: UnboundedSender<Outgoing>,
    bytes: AtomicUsize,
    limit: usize,
    /// What all outboxes take.
    room: Arc<Room>,
    overflowed: AtomicBool,
    /// The session, which takes nothing out while the client does not read.
    overflow_waker: AtomicWaker,
    /// How many published events were not answered yet.
    unanswered: AtomicUsize,
}

impl Outbox {
    /// An outbox that holds at most `limit` bytes, and little when there is no `room`; and the client's
    /// end of it.
    pub(crate) fn new(limit: usize, room: Arc<Room>) -> (Arc<Self>, UnboundedReceiver<Outgoing>) {
        let (queue, receiver) = unbounded_channel();
        let outbox = Self {
            queue,
            bytes: AtomicUsize::new(0),
            limit,
            room,
            overflowed: AtomicBool::new(false),
            overflow_waker: AtomicWaker::new(),
            unanswered: AtomicUsize::new(0),
        };
        (Arc::new(outbox), receiver)
    }

    /// Queues a message.
    pub(crate) fn send(&self, message: RelayMessage<'_>) {
        let json = message.to_json_bytes();
        let _place = self.room.take(json.len() + OVERHEAD);
        self.push(Outgoing::Text { json, _place });
    }

    /// Queues a message, unless too much waits already.
    pub(crate) fn push(&self, outgoing: Outgoing) {
        let len = outgoing.len();
        let waiting = self.bytes.fetch_add(len, Ordering::Relaxed) + len;
        // When there is no room, those go first for whom most waits.
        let limit = if self.room.is_full() { self.limit.min(SMALL) } else { self.limit };
        let outgoing = if waiting <= limit {
            outgoing
        } else {
            self.bytes.fetch_sub(len, Ordering::Relaxed);
            if self.overflowed.swap(true, Ordering::Relaxed) {
                return;
            }
            self.overflow_waker.wake();
            Outgoing::Overflow
        };
        // The session may be gone already.
        drop(self.queue.send(outgoing));
    }

    /// Waits until more was queued than may wait.
    pub(crate) fn poll_overflow(&self, cx: &Context<'_>) -> Poll<()> {
        self.overflow_waker.register(cx.waker());
        if self.overflowed.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Says that a message was taken out.
    pub(crate) fn taken(&self, outgoing: &Outgoing) {
        self.bytes.fetch_sub(outgoing.len(), Ordering::Relaxed);
    }

    /// Says that an event was handed on, to be answered later.
    pub(crate) fn expect_answer(&self) {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    /// Answers an event that was handed on.
    pub(crate) fn answer(&self, id: EventId, accepted: bool, reason: &str) {
        self.send(RelayMessage::Ok { id, accepted, reason });
        self.unanswered.fetch_sub(1, Ordering::Release);
    }

    /// Whether every event was answered.
    pub(crate) fn is_settled(&self) -> bool {
        self.unanswered.load(Ordering::Acquire) == 0
    }
}

impl Outgoing {
    fn len(&self) -> usize {
        match self {
            Self::Text { json, .. } => OVERHEAD + json.len(),
            Self::Live { event, .. } => OVERHEAD + event.json.len(),
            Self::Overflow => 0,
        }
    }
}
