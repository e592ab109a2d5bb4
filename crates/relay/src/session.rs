//! One WebSocket connection: a single task that reads, answers and sends.
//!
//! Sending never stops reading. Stored events are taken from the store only when what was sent
//! before has left, so a slow reader costs a few kilobytes; what others have to say to it waits in
//! its [`Outbox`], and when that overflows the connection ends.

mod access;
mod gathering;
mod negentropy;
mod queries;
mod requests;
mod socket;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event::{
    ClientMessage, Event, EventRef, InvalidMessage, Prefix, Pubkey, Rejection, RelayMessage,
    SubscriptionId, Timestamp,
};
use store::Viewer;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::auth::Challenge;
use crate::ingest::{Submission, admit};
use crate::outbox::{Outbox, Outgoing};
use crate::relay::Relay;
use access::Standing;
use queries::{CHUNK_BYTES, Queries};
use requests::Live;
use socket::{CloseReason, Socket, Wake};

pub(crate) use socket::Upgraded;

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// A client's connection.
pub(crate) struct Session {
    relay: Arc<Relay>,
    /// Unlike that of any other connection of this process.
    number: u64,
    socket: Socket,
    outbox: Arc<Outbox>,
    outgoing: UnboundedReceiver<Outgoing>,
    challenge: Challenge,
    /// The host the client asked for.
    host: String,
    address: IpAddr,
    pubkeys: Vec<Pubkey>,
    viewer: Viewer,
    standing: Option<Standing>,
    /// Told when access control decided something.
    decisions: watch::Receiver<u64>,
    /// An event that has to wait, and until when; nothing more is read meanwhile.
    held: Option<(Event, Instant)>,
    subscriptions: HashMap<SubscriptionId, Live>,
    queries: Queries,
}

impl Session {
    /// Serves one client until either side ends the connection or the relay stops.
    pub(crate) async fn run(relay: Arc<Relay>, stream: Upgraded, host: String, address: IpAddr) {
        let limits = &relay.settings.limits;
        let (outbox, outgoing) = Outbox::new(limits.outbox_bytes, relay.subscriptions.room());
        let mut session = Self {
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            socket: Socket::new(stream, limits).await,
            outbox,
            outgoing,
            challenge: Challenge::new(),
            host,
            address,
            pubkeys: Vec::new(),
            viewer: relay.viewer(&[], None),
            standing: None,
            decisions: relay.access.changes(),
            held: None,
            subscriptions: HashMap::new(),
            queries: Queries::default(),
            relay,
        };
        let challenge = RelayMessage::Auth(session.challenge.as_str()).to_json_bytes();
        session.send_text(|out| out.extend_from_slice(&challenge));
        let reason = session.serve().await;
        if reason == CloseReason::TooSlow {
            session.relay.metrics.slow_readers.inc();
        }
        session.socket.close(reason).await;
        if let Some(reconciler) = &session.relay.reconciler {
            reconciler.close_connection(&session.number.into()).await;
        }
        for (_, live) in session.subscriptions.drain() {
            session.relay.subscriptions.remove(&live.subscription);
            session.relay.metrics.subscriptions.dec();
        }
    }

    async fn serve(&mut self) -> CloseReason {
        let shutdown = self.relay.shutdown.clone();
        loop {
            let has_query = !self.queries.is_empty();
            let listens = self.held.is_none();
            let due = self.held.as_ref().map(|(_, due)| *due);
            let wake = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                () = sleep_until(due) => {
                    self.release().await;
                    continue;
                }
                () = decided(&mut self.decisions) => Wake::Decided,
                wake = self.socket.wake(&self.outbox, &mut self.outgoing, has_query, listens) => wake,
            };
            let step = match wake {
                Wake::Message(text) => {
                    self.relay.metrics.bytes_received.inc_by(text.len() as u64);
                    self.handle(&text).await
                }
                Wake::Outgoing(outgoing) => self.forward_all(outgoing),
                Wake::Writable => self.advance_query().await,
                Wake::Decided => self.reexamine().await,
                Wake::Closed(reason) => return reason,
            };
            match step {
                Ok(()) => {}
                Err(CloseReason::Blocked) => {
                    self.drain().await;
                    return CloseReason::Blocked;
                }
                Err(reason) => return reason,
            }
        }
        self.drain().await;
        CloseReason::GoingAway
    }

    /// Sends the answers to what was published, before the connection ends.
    async fn drain(&mut self) {
        if let Some((event, _)) = self.held.take() {
            let rejection = Rejection::new(Prefix::Error, "the connection ends");
            self.refuse(event.as_ref(), &rejection);
        }
        let wait = self.relay.settings.drain;
        let settled = async {
            while !self.outbox.is_settled() || !self.outgoing.is_empty() {
                let Some(outgoing) = self.outgoing.recv().await else { return };
                if self.forward(outgoing).is_err() {
                    return;
                }
            }
            self.socket.flush().await;
        };
        drop(tokio::time::timeout(wait, settled).await);
    }

    fn send(&mut self, message: RelayMessage<'_>) {
        self.send_text(|out| message.push_json(out));
    }

    fn send_text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let bytes = self.socket.queue(write);
        self.relay.metrics.bytes_sent.inc_by(bytes as u64);
    }

    /// Sends what others queued, as much as should leave at once.
    fn forward_all(&mut self, first: Outgoing) -> Result<(), CloseReason> {
        self.forward(first)?;
        while self.socket.queued() < CHUNK_BYTES
            && let Ok(next) = self.outgoing.try_recv()
        {
            self.forward(next)?;
        }
        Ok(())
    }

    /// Sends what others queued.
    fn forward(&mut self, outgoing: Outgoing) -> Result<(), CloseReason> {
        self.outbox.taken(&outgoing);
        match outgoing {
            Outgoing::Text { json, .. } => self.send_text(|out| out.extend_from_slice(&json)),
            Outgoing::Overflow => return Err(CloseReason::TooSlow),
            Outgoing::Live { subscription, event } => {
                let sub = &subscription.id;
                let may_see = self.may_see(event.event.as_ref());
                let Some(live) = self.subscriptions.get_mut(sub) else { return Ok(()) };
                // The name may be another subscription's by now.
                if !Arc::ptr_eq(&live.subscription, &subscription)
                    || !may_see
                    || !live.is_new_live(event.serial, self.queries.runs(sub))
                {
                    return Ok(());
                }
                let parts: [&[u8]; 5] =
                    [b"[\"EVENT\",\"", sub.as_raw().as_bytes(), b"\",", &event.json, b"]"];
                self.send_text(|out| parts.iter().for_each(|part| out.extend_from_slice(part)));
            }
        }
        Ok(())
    }

    async fn handle(&mut self, text: &str) -> Result<(), CloseReason> {
        match ClientMessage::from_json(text) {
            Ok(ClientMessage::Event(event)) => self.publish(event).await,
            Ok(ClientMessage::Req { sub, filters }) => self.subscribe(sub, filters).await,
            Ok(ClientMessage::Close(sub)) => self.unsubscribe(&sub),
            Ok(ClientMessage::Count { sub, filters }) => self.count(&sub, filters).await,
            Ok(ClientMessage::Auth(event)) => self.authenticate(event.as_ref()),
            Ok(ClientMessage::NegOpen { sub, filter, message }) => {
                self.neg_open(&sub, filter, message).await
            }
            Ok(ClientMessage::NegMsg { sub, message }) => self.neg_msg(&sub, message).await,
            Ok(ClientMessage::NegClose(sub)) => self.neg_close(&sub).await,
            Err(error) => self.refuse_message(&error).await,
        }
        Ok(())
    }

    async fn refuse_message(&mut self, error: &InvalidMessage) {
        let reason = format!("invalid: {error}");
        match error {
            InvalidMessage::Event { id: Some(id), .. } => {
                self.relay.metrics.refused(Prefix::Invalid);
                self.send(RelayMessage::Ok { id: *id, accepted: false, reason: &reason });
            }
            InvalidMessage::Filter { sub, .. } | InvalidMessage::NoFilter { sub } => {
                self.close_subscription(sub, &reason);
            }
            InvalidMessage::Negentropy { sub, .. } => {
                self.neg_close(sub).await;
                self.send(RelayMessage::NegErr { sub, reason: &reason, max: None });
            }
            InvalidMessage::Event { id: None, .. }
            | InvalidMessage::Json(_)
            | InvalidMessage::UnknownType(_)
            | InvalidMessage::SubscriptionId => self.send(RelayMessage::Notice(&reason)),
        }
    }

    async fn publish(&mut self, event: Event) {
        self.relay.metrics.events_received.inc();
        match self.admit(event.as_ref()).await {
            Ok(delay) if delay.is_zero() => self.submit(event).await,
            Ok(delay) => self.held = Some((event, Instant::now() + delay)),
            Err(rejection) => self.refuse(event.as_ref(), &rejection),
        }
    }

    /// How long an event has to wait, or why it is refused.
    async fn admit(&mut self, event: EventRef<'_>) -> Result<Duration, Rejection> {
        admit(&self.relay.settings, &self.pubkeys, event, Timestamp::now())?;
        self.check_write(event).await?;
        self.delay().await
    }

    /// Hands on the event that had to wait.
    async fn release(&mut self) {
        if let Some((event, _)) = self.held.take() {
            self.submit(event).await;
        }
    }

    async fn submit(&mut self, event: Event) {
        let (from, address) = (Arc::clone(&self.outbox), self.address);
        self.relay.ingest.submit(Submission::new(event, from, address)).await;
    }

    fn refuse(&mut self, event: EventRef<'_>, rejection: &Rejection) {
        self.relay.metrics.refused(rejection.prefix);
        let (id, reason) = (event.id(), rejection.to_string());
        self.send(RelayMessage::Ok { id, accepted: false, reason: &reason });
    }
}

/// Waits until access control decides something.
async fn decided(decisions: &mut watch::Receiver<u64>) {
    if decisions.changed().await.is_err() {
        std::future::pending().await
    }
}

/// Waits until then, or for ever.
async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
