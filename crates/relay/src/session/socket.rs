//! The WebSocket under a session, so that reading, sending and silence can be waited for at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, SinkExt, Stream};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Interval, MissedTickBehavior, interval};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes, error::CapacityError};

use super::gathering::Gathering;
use crate::Limits;
use crate::outbox::{Outbox, Outgoing};

/// What hyper hands over after a WebSocket handshake.
pub(crate) type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// Each connection keeps a buffer of this size to read into.
const READ_BUFFER: usize = 8 << 10;
/// After this many messages from a client in a row, its answers get a turn.
const READS_IN_A_ROW: u32 = 64;
/// How long a client has to take the last words.
const CLOSE_WAIT: Duration = Duration::from_secs(1);

/// A client's WebSocket.
pub(super) struct Socket {
    stream: WebSocketStream<Gathering<Upgraded>>,
    ping: Interval,
    /// How many pings in a row brought nothing back.
    silent_pings: u32,
    /// How many bytes may be queued.
    most_unsent: usize,
    reads_in_a_row: u32,
}

/// Something to do.
pub(super) enum Wake {
    /// The client said something.
    Message(Utf8Bytes),
    /// What was queued has left, and there is more for the client.
    Outgoing(Outgoing),
    /// What was queued has left.
    Writable,
    /// Access control decided something.
    Decided,
    /// It is over.
    Closed(CloseReason),
}

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The client went.
    Gone,
    /// The client said goodbye.
    Goodbye,
    /// The relay stops.
    GoingAway,
    /// Its address was blocked.
    Blocked,
    /// The client did not read.
    TooSlow,
    /// The client sent a message above the limit.
    TooBig,
    /// The client broke the rules of WebSocket.
    Protocol,
    /// The client sent a text that is not UTF-8.
    NotUtf8,
    /// The client sent what is no text.
    Unsupported,
}

impl Socket {
    pub(super) async fn new(stream: Upgraded, limits: &Limits) -> Self {
        let message_bytes = limits.message_bytes;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(message_bytes))
            .max_frame_size(Some(message_bytes));
        let mut ping = interval(limits.ping_interval.max(Duration::from_millis(10)));
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let stream = Gathering::new(stream);
        let stream = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        // A chunk of a query's answer fits beside what a client may leave unread.
        let most_unsent = limits.outbox_bytes + message_bytes;
        Self { stream, ping, silent_pings: 0, most_unsent, reads_in_a_row: 0 }
    }

    /// Queues the text that `write` appends, which is UTF-8; it leaves while waiting for the next [`Wake`].
    /// Returns how long it is.
    pub(super) fn queue(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.stream.get_mut().push_text(write)
    }

    /// How many bytes are queued.
    pub(super) fn queued(&self) -> usize {
        self.stream.get_ref().len()
    }

    /// Waits for something to do. `wants_turn` asks to be told when all that was queued has left; unless
    /// it `listens`, what the client says stays unread.
    pub(super) async fn wake(
        &mut self,
        outbox: &Outbox,
        outgoing: &mut UnboundedReceiver<Outgoing>,
        wants_turn: bool,
        listens: bool,
    ) -> Wake {
        poll_fn(|cx| {
            let flushed = match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => return Poll::Ready(Wake::Closed(CloseReason::Gone)),
                Poll::Pending => false,
            };
            if flushed && !wants_turn {
                self.stream.get_mut().shrink();
            }
            if self.queued() > self.most_unsent || outbox.poll_overflow(cx).is_ready() {
                return Poll::Ready(Wake::Closed(CloseReason::TooSlow));
            }
            if listens
                && self.reads_in_a_row < READS_IN_A_ROW
                && let Poll::Ready(wake) = self.poll_read(cx)
            {
                self.reads_in_a_row += 1;
                return Poll::Ready(wake);
            }
            self.reads_in_a_row = 0;
            if flushed {
                if let Poll::Ready(Some(outgoing)) = outgoing.poll_recv(cx) {
                    return Poll::Ready(Wake::Outgoing(outgoing));
                }
                if wants_turn {
                    return Poll::Ready(Wake::Writable);
                }
            }
            if !listens {
                return Poll::Pending;
            }
            if let Poll::Ready(wake) = self.poll_read(cx) {
                return Poll::Ready(wake);
            }
            self.poll_silence(cx)
        })
        .await
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        while let Poll::Ready(message) = Pin::new(&mut self.stream).poll_next(cx) {
            self.silent_pings = 0;
            let reason = match message {
                Some(Ok(Message::Text(text))) => return Poll::Ready(Wake::Message(text)),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Binary(_))) => CloseReason::Unsupported,
                Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => {
                    CloseReason::TooBig
                }
                Some(Err(Error::Protocol(_))) => CloseReason::Protocol,
                Some(Err(Error::Utf8(_))) => CloseReason::NotUtf8,
                Some(Ok(Message::Close(_))) => CloseReason::Goodbye,
                Some(Err(_)) | None => CloseReason::Gone,
            };
            return Poll::Ready(Wake::Closed(reason));
        }
        Poll::Pending
    }

    /// Pings a silent client; gives it up after the second ping without an answer.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        while self.ping.poll_tick(cx).is_ready() {
            if self.silent_pings == 2 {
                return Poll::Ready(Wake::Closed(CloseReason::Gone));
            }
            self.silent_pings += 1;
            // A failure shows when flushing.
            drop(Pin::new(&mut self.stream).start_send(Message::Ping(bytes::Bytes::new())));
            if let Poll::Ready(Err(_)) = Pin::new(&mut self.stream).poll_flush(cx) {
                return Poll::Ready(Wake::Closed(CloseReason::Gone));
            }
        }
        Poll::Pending
    }

    /// Sends all that was queued.
    pub(super) async fn flush(&mut self) {
        // A client that is gone needs no last words. After a goodbye the WebSocket flushes nothing more.
        drop(self.stream.flush().await);
        drop(AsyncWriteExt::flush(self.stream.get_mut()).await);
    }

    /// Ends the connection.
    pub(super) async fn close(mut self, reason: CloseReason) {
        let (code, text) = match reason {
            CloseReason::Gone => return,
            CloseReason::Goodbye => {
                // Its goodbye was answered by the WebSocket library, and is on its way.
                drop(tokio::time::timeout(CLOSE_WAIT, self.flush()).await);
                return;
            }
            CloseReason::GoingAway => (CloseCode::Away, "relay is shutting down"),
            CloseReason::Blocked => (CloseCode::Policy, "this address is blocked"),
            CloseReason::TooSlow => (CloseCode::Policy, "too much waits to be read"),
            CloseReason::TooBig => (CloseCode::Size, "message is too big"),
            CloseReason::Protocol => (CloseCode::Protocol, "not a WebSocket frame"),
            CloseReason::NotUtf8 => (CloseCode::Invalid, "text is not UTF-8"),
            CloseReason::Unsupported => {
                (CloseCode::Unsupported, "only text messages are understood")
            }
        };
        let frame = CloseFrame { code, reason: text.into() };
        let goodbye = async {
            drop(self.stream.close(Some(frame)).await);
            let gone = poll_fn(|cx| match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Ready(Some(Ok(_))) => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            });
            gone.await;
        };
        drop(tokio::time::timeout(CLOSE_WAIT, goodbye).await);
    }
}
