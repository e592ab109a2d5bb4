//! One WebSocket connection: a single task that reads, answers and sends.
//!
//! Sending never stops reading. Stored events are taken from the store only when what was sent
//! before has left, so a slow reader costs a few kilobytes; what others have to say to it waits in
//! its [`Outbox`], and when that overflows the connection ends.

mod queries;
mod socket;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use event::{
    ClientMessage, Event, EventRef, Filter, InvalidMessage, Prefix, Pubkey, Rejection,
    RelayMessage, SubscriptionId, Timestamp,
};
use store::{Query, Serial, Viewer};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::auth::Challenge;
use crate::ingest::{self, Submission, admit};
use crate::outbox::{Outbox, Outgoing};
use crate::relay::Relay;
use crate::subscriptions::Subscription;
use queries::{Queries, RunningQuery};
use socket::{CloseReason, Socket, Wake};

pub(crate) use socket::Upgraded;

/// A client's connection.
pub(crate) struct Session {
    relay: Arc<Relay>,
    socket: Socket,
    outbox: Arc<Outbox>,
    outgoing: UnboundedReceiver<Outgoing>,
    challenge: Challenge,
    /// The host the client asked for.
    host: String,
    pubkeys: Vec<Pubkey>,
    viewer: Viewer,
    subscriptions: HashMap<SubscriptionId, Live>,
    queries: Queries,
}

/// A subscription and what was sent for it around its start, when an event may be found twice.
struct Live {
    subscription: Arc<Subscription>,
    sent: Vec<Serial>,
}

impl Session {
    /// Serves one client until either side ends the connection or the relay stops.
    pub(crate) async fn run(relay: Arc<Relay>, stream: Upgraded, host: String) {
        let limits = &relay.settings.limits;
        let (outbox, outgoing) = Outbox::new(limits.outbox_bytes);
        let mut session = Self {
            socket: Socket::new(stream, limits.message_bytes, limits.ping_interval).await,
            outbox,
            outgoing,
            challenge: Challenge::new(),
            host,
            pubkeys: Vec::new(),
            viewer: relay.viewer(&[]),
            subscriptions: HashMap::new(),
            queries: Queries::default(),
            relay,
        };
        session.send_text(RelayMessage::Auth(session.challenge.as_str()).to_json());
        let reason = session.serve().await;
        session.socket.close(reason).await;
        for (_, live) in session.subscriptions.drain() {
            session.relay.subscriptions.remove(&live.subscription);
            session.relay.metrics.subscriptions.dec();
        }
    }

    async fn serve(&mut self) -> CloseReason {
        let shutdown = self.relay.shutdown.clone();
        loop {
            let has_query = !self.queries.is_empty();
            let wake = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                wake = self.socket.wake(&mut self.outgoing, has_query) => wake,
            };
            let step = match wake {
                Wake::Message(text) => {
                    self.relay.metrics.bytes_received.inc_by(text.len() as u64);
                    self.handle(&text).await
                }
                Wake::Outgoing(outgoing) => self.forward(outgoing),
                Wake::Writable => self.advance_query().await,
                Wake::Closed(reason) => return reason,
            };
            if let Err(reason) = step {
                return reason;
            }
        }
        self.drain().await;
        CloseReason::GoingAway
    }

    /// Sends the answers to what was published, before the relay stops.
    async fn drain(&mut self) {
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
        self.send_text(message.to_json());
    }

    fn send_text(&mut self, text: String) {
        self.relay.metrics.bytes_sent.inc_by(text.len() as u64);
        self.socket.queue(text);
    }

    /// Sends what others queued.
    fn forward(&mut self, outgoing: Outgoing) -> Result<(), CloseReason> {
        self.outbox.taken(&outgoing);
        if self.outbox.has_overflowed() {
            self.relay.metrics.slow_readers.inc();
            return Err(CloseReason::TooSlow);
        }
        match outgoing {
            Outgoing::Text(text) => self.send_text(text),
            Outgoing::Live { sub, event } => {
                let Some(live) = self.subscriptions.get_mut(&sub) else { return Ok(()) };
                if !self.viewer.may_see(event.event.as_ref())
                    || !live.is_new(event.serial, self.queries.runs(&sub))
                {
                    return Ok(());
                }
                self.send_text(["[\"EVENT\",\"", sub.as_raw(), "\",", &event.json, "]"].concat());
            }
        }
        Ok(())
    }

    async fn handle(&mut self, text: &str) -> Result<(), CloseReason> {
        match ClientMessage::from_json(text) {
            Ok(ClientMessage::Event(event)) => self.publish(event).await,
            Ok(ClientMessage::Req { sub, filters }) => self.subscribe(sub, filters),
            Ok(ClientMessage::Close(sub)) => self.unsubscribe(&sub),
            Ok(ClientMessage::Count { sub, filters }) => self.count(&sub, filters).await,
            Ok(ClientMessage::Auth(event)) => self.authenticate(event.as_ref()),
            Ok(ClientMessage::NegOpen { sub, .. } | ClientMessage::NegMsg { sub, .. }) => {
                let reason = "blocked: NIP-77 is not enabled on this relay";
                self.send(RelayMessage::NegErr { sub: &sub, reason, max: None });
            }
            Ok(ClientMessage::NegClose(_)) => {}
            Err(error) => self.refuse_message(&error),
        }
        Ok(())
    }

    fn refuse_message(&mut self, error: &InvalidMessage) {
        let reason = format!("invalid: {error}");
        match error {
            InvalidMessage::Event { id: Some(id), .. } => {
                self.relay.metrics.refused(Prefix::Invalid);
                self.send(RelayMessage::Ok { id: *id, accepted: false, reason: &reason });
            }
            InvalidMessage::Filter { sub, .. } | InvalidMessage::NoFilter { sub } => {
                self.send(RelayMessage::Closed { sub, reason: &reason });
            }
            InvalidMessage::Negentropy { sub, .. } => {
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
        match admit(&self.relay.settings, &self.pubkeys, event.as_ref(), Timestamp::now()) {
            Ok(()) => {
                self.relay.ingest.submit(Submission { event, from: Arc::clone(&self.outbox) }).await
            }
            Err(rejection) => {
                self.relay.metrics.refused(rejection.prefix);
                let (id, reason) = (event.as_ref().id(), rejection.to_string());
                self.send(RelayMessage::Ok { id, accepted: false, reason: &reason });
            }
        }
    }

    fn subscribe(&mut self, sub: SubscriptionId, filters: Vec<Filter>) {
        self.unsubscribe(&sub);
        if let Err(rejection) = self.check_subscription(&filters) {
            return self.send(RelayMessage::Closed { sub: &sub, reason: &rejection.to_string() });
        }
        let filters = filters.into_iter().map(|filter| self.limited(filter)).collect::<Vec<_>>();
        let outbox = Arc::clone(&self.outbox);
        let subscription =
            Arc::new(Subscription { id: sub.clone(), filters: filters.clone(), outbox });
        // First live, then stored: what comes in between is found twice, and sent once.
        self.relay.subscriptions.insert(&subscription);
        self.relay.metrics.subscriptions.inc();
        self.subscriptions.insert(sub.clone(), Live { subscription, sent: Vec::new() });
        let query = Query { filters, viewer: self.viewer.clone() };
        self.relay.metrics.queries.inc_by(query.filters.len() as u64);
        self.queries.push(RunningQuery::new(sub, self.relay.store.query(query)));
    }

    fn unsubscribe(&mut self, sub: &SubscriptionId) {
        self.queries.remove(sub);
        if let Some(live) = self.subscriptions.remove(sub) {
            self.relay.subscriptions.remove(&live.subscription);
            self.relay.metrics.subscriptions.dec();
        }
    }

    fn check_subscription(&self, filters: &[Filter]) -> Result<(), Rejection> {
        let limits = &self.relay.settings.limits;
        if self.subscriptions.len() >= limits.subscriptions {
            let text =
                format!("{} subscriptions are open, no more are allowed", limits.subscriptions);
            return Err(Rejection::new(Prefix::RateLimited, text));
        }
        self.check_filters(filters)
    }

    fn check_filters(&self, filters: &[Filter]) -> Result<(), Rejection> {
        let limits = &self.relay.settings.limits;
        let blocked = |text| Err(Rejection::new(Prefix::Blocked, text));
        if filters.len() > limits.filters {
            return blocked(format!("{} filters, {} are allowed", filters.len(), limits.filters));
        }
        let values = filters.iter().map(value_count).max().unwrap_or_default();
        if values > limits.filter_values {
            return blocked(format!(
                "a filter has {values} values, {} are allowed",
                limits.filter_values
            ));
        }
        if self.pubkeys.is_empty() {
            let needs_auth = Err(Rejection::new(Prefix::AuthRequired, "authenticate to read here"));
            if self.relay.settings.access.auth_required {
                return needs_auth;
            }
            let is_private = |filter: &Filter| {
                let kinds = filter.kinds.as_deref().unwrap_or_default();
                !kinds.is_empty() && kinds.iter().all(|kind| self.relay.is_restricted(*kind))
            };
            if filters.iter().any(is_private) {
                let text = "these kinds are served to their parties only, authenticate as one";
                return Err(Rejection::new(Prefix::AuthRequired, text));
            }
        }
        Ok(())
    }

    /// The filter with a limit that this relay keeps to.
    fn limited(&self, mut filter: Filter) -> Filter {
        let limits = &self.relay.settings.limits;
        let asked = filter.limit.or(filter.ids.as_ref().map(|ids| ids.len() as u64));
        filter.limit = Some(asked.unwrap_or(limits.default_limit).min(limits.max_limit));
        filter
    }

    /// Sends some of a query's events; called when what was sent before has left.
    async fn advance_query(&mut self) -> Result<(), CloseReason> {
        let Some(mut query) = self.queries.pop() else { return Ok(()) };
        let Some(live) = self.subscriptions.get_mut(&query.sub) else { return Ok(()) };
        let mut sent = 0;
        let chunk = query.next_chunk(|serial, text| {
            if live.is_new(Some(serial), true) {
                self.relay.metrics.bytes_sent.inc_by(text.len() as u64);
                self.socket.queue(text);
                sent += 1;
            }
        });
        let more = chunk.await;
        self.relay.metrics.query_events.inc_by(sent);
        match more {
            Ok(true) => self.queries.push(query),
            Ok(false) => {
                self.relay.metrics.query_seconds.observe(query.started.elapsed().as_secs_f64());
                self.send(RelayMessage::Eose(&query.sub));
            }
            Err(error) => {
                let reason = ingest::rejection(&error).to_string();
                self.unsubscribe(&query.sub);
                self.send(RelayMessage::Closed { sub: &query.sub, reason: &reason });
            }
        }
        Ok(())
    }

    async fn count(&mut self, sub: &SubscriptionId, filters: Vec<Filter>) {
        let started = Instant::now();
        let result = match self.check_filters(&filters) {
            Ok(()) => {
                let query = Query { filters, viewer: self.viewer.clone() };
                self.relay.store.count(&query).await.map_err(|error| ingest::rejection(&error))
            }
            Err(rejection) => Err(rejection),
        };
        tracing::debug!(elapsed = ?started.elapsed(), "count");
        match result {
            Ok(count) => self.send(RelayMessage::Count { sub, count }),
            Err(rejection) => {
                self.send(RelayMessage::Closed { sub, reason: &rejection.to_string() })
            }
        }
    }

    fn authenticate(&mut self, event: EventRef<'_>) {
        let own = self.relay.settings.about.url.as_deref();
        let hosts: Vec<&str> = own.into_iter().chain([self.host.as_str()]).collect();
        let result = self.challenge.check(event, &hosts, Timestamp::now());
        let reason = match result {
            Ok(pubkey) => {
                if !self.pubkeys.contains(&pubkey) {
                    self.pubkeys.push(pubkey);
                    self.viewer = self.relay.viewer(&self.pubkeys);
                }
                String::new()
            }
            Err(reason) => format!("invalid: {reason}"),
        };
        self.send(RelayMessage::Ok {
            id: event.id(),
            accepted: reason.is_empty(),
            reason: &reason,
        });
    }
}

impl Live {
    /// Whether the event was not sent for this subscription yet. Only while its query runs, and
    /// shortly after, can an event be found twice; it is remembered just then.
    fn is_new(&mut self, serial: Option<Serial>, query_runs: bool) -> bool {
        let Some(serial) = serial else { return true };
        if self.sent.contains(&serial) {
            return false;
        }
        if query_runs {
            self.sent.push(serial);
        } else {
            self.sent.clear();
        }
        true
    }
}

fn value_count(filter: &Filter) -> usize {
    let tags: usize = filter.tags.values().map(Vec::len).sum();
    tags + filter.ids.as_ref().map_or(0, Vec::len)
        + filter.authors.as_ref().map_or(0, Vec::len)
        + filter.kinds.as_ref().map_or(0, Vec::len)
}
