//! REQ, CLOSE and COUNT: within limits, first live, then stored.

use std::sync::Arc;
use std::time::Instant;

use event::{Filter, Prefix, Rejection, RelayMessage, SubscriptionId};
use store::{Query, Serial, StoreError};

use super::Session;
use super::queries::RunningQuery;
use super::socket::CloseReason;
use crate::ingest;
use crate::subscriptions::Subscription;

/// A subscription and what was sent for it that may be found a second time.
///
/// Events up to `since` were stored before it was there: only its query gives them. What is newer may
/// come both from the query and live, and is remembered until live delivery has passed it.
pub(super) struct Live {
    pub(super) subscription: Arc<Subscription>,
    since: Serial,
    sent: Vec<Serial>,
}

impl Session {
    pub(super) async fn subscribe(&mut self, sub: SubscriptionId, filters: Vec<Filter>) {
        self.unsubscribe(&sub);
        if let Err(rejection) = self.check_subscription(&filters).await {
            return self.close_subscription(&sub, &rejection.to_string());
        }
        let filters = filters.into_iter().map(|filter| self.limited(filter)).collect::<Vec<_>>();
        let outbox = Arc::clone(&self.outbox);
        let subscription =
            Arc::new(Subscription { id: sub.clone(), filters: filters.clone(), outbox });
        // First live, then stored: what comes in between is found twice, and sent once.
        let Some(since) = self.relay.newest.load() else {
            let away = ingest::rejection(&StoreError::Unavailable(String::new()));
            return self.close_subscription(&sub, &away.to_string());
        };
        self.relay.subscriptions.insert(&subscription);
        self.relay.metrics.subscriptions.inc();
        self.subscriptions.insert(sub.clone(), Live { subscription, since, sent: Vec::new() });
        let query = Query { filters, viewer: self.viewer.clone() };
        self.relay.metrics.queries.inc_by(query.filters.len() as u64);
        self.queries.push(RunningQuery::new(sub, self.relay.store.query(query)));
    }

    pub(super) fn unsubscribe(&mut self, sub: &SubscriptionId) {
        self.queries.remove(sub);
        if let Some(live) = self.subscriptions.remove(sub) {
            self.relay.subscriptions.remove(&live.subscription);
            self.relay.metrics.subscriptions.dec();
        }
    }

    /// Tells the client that a subscription has ended, and why: then none of that name goes on.
    pub(super) fn close_subscription(&mut self, sub: &SubscriptionId, reason: &str) {
        self.unsubscribe(sub);
        self.send(RelayMessage::Closed { sub, reason });
    }

    async fn check_subscription(&mut self, filters: &[Filter]) -> Result<(), Rejection> {
        let limits = &self.relay.settings.limits;
        if self.subscriptions.len() >= limits.subscriptions {
            let text =
                format!("{} subscriptions are open, no more are allowed", limits.subscriptions);
            return Err(Rejection::new(Prefix::RateLimited, text));
        }
        let in_all = usize::try_from(self.relay.metrics.subscriptions.get()).unwrap_or_default();
        if in_all >= limits.subscriptions_in_all {
            let text = format!(
                "{} subscriptions of all clients are open, no more are allowed, try again later",
                limits.subscriptions_in_all
            );
            return Err(Rejection::new(Prefix::RateLimited, text));
        }
        self.check_filters(filters)?;
        self.check_read(filters).await?;
        self.check_private(filters)
    }

    pub(super) fn check_filters(&self, filters: &[Filter]) -> Result<(), Rejection> {
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
        Ok(())
    }

    /// Refuses a filter of which nothing would be served before NIP-42. (COUNT answers it: 0.)
    pub(super) fn check_private(&self, filters: &[Filter]) -> Result<(), Rejection> {
        let is_private = |filter: &Filter| {
            let kinds = filter.kinds.as_deref().unwrap_or_default();
            !kinds.is_empty() && kinds.iter().all(|kind| self.relay.is_restricted(*kind))
        };
        if self.pubkeys.is_empty() && filters.iter().any(is_private) {
            let text = "these kinds are served to their parties only, authenticate as one";
            return Err(Rejection::new(Prefix::AuthRequired, text));
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
    pub(super) async fn advance_query(&mut self) -> Result<(), CloseReason> {
        let Some(mut query) = self.queries.pop() else { return Ok(()) };
        let Some(live) = self.subscriptions.get_mut(&query.sub) else { return Ok(()) };
        let mut sent = 0;
        let sub = query.sub.clone();
        let chunk = query.next_chunk(|serial, event| {
            if !live.is_new_stored(serial) {
                return 0;
            }
            let message = RelayMessage::Event { sub: &sub, event };
            let bytes = self.socket.queue(|out| message.push_json(out));
            self.relay.metrics.bytes_sent.inc_by(bytes as u64);
            sent += 1;
            bytes
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
                self.close_subscription(&query.sub, &ingest::rejection(&error).to_string());
            }
        }
        Ok(())
    }

    pub(super) async fn count(&mut self, sub: &SubscriptionId, filters: Vec<Filter>) {
        let started = Instant::now();
        let result = match self.check_filters(&filters) {
            Ok(()) => match self.check_read(&filters).await {
                Ok(()) => {
                    let query = Query { filters, viewer: self.viewer.clone() };
                    let count = self.relay.store.count(&query).await;
                    count.map_err(|error| ingest::rejection(&error))
                }
                Err(rejection) => Err(rejection),
            },
            Err(rejection) => Err(rejection),
        };
        tracing::debug!(elapsed = ?started.elapsed(), "count");
        match result {
            Ok(count) => self.send(RelayMessage::Count { sub, count }),
            Err(rejection) => self.close_subscription(sub, &rejection.to_string()),
        }
    }
}

impl Live {
    /// Whether an event its query found is yet to be sent.
    fn is_new_stored(&mut self, serial: Serial) -> bool {
        if serial <= self.since {
            return true;
        }
        let is_new = !self.sent.contains(&serial);
        if is_new {
            self.sent.push(serial);
        }
        is_new
    }

    /// Whether an event that is delivered live is yet to be sent; they come in order of serial.
    pub(super) fn is_new_live(&mut self, serial: Option<Serial>, query_runs: bool) -> bool {
        let Some(serial) = serial else { return true };
        let is_new = serial > self.since && !self.sent.contains(&serial);
        if query_runs && is_new {
            self.sent.push(serial);
        } else if !query_runs {
            self.sent.retain(|sent| *sent > serial);
        }
        is_new
    }
}

fn value_count(filter: &Filter) -> usize {
    let tags: usize = filter.tags.values().map(Vec::len).sum();
    tags + filter.ids.as_ref().map_or(0, Vec::len)
        + filter.authors.as_ref().map_or(0, Vec::len)
        + filter.kinds.as_ref().map_or(0, Vec::len)
}
