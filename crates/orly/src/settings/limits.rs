//! What a client may ask, publish and take at most.

use std::num::NonZeroUsize;
use std::time::Duration;

use service_settings::EventLimits;

use super::values::Interval;

daemon::settings! {
    /// What a client may ask, publish and take at most.
    #[derive(Clone, Debug)]
    pub(crate) struct Limits {
        section "Queries" {
            /// Events for a filter that names neither a limit nor ids; 0 for all.
            query_result_limit: u64 = "ORLY_QUERY_RESULT_LIMIT", "256";
            /// Events for a filter at most, whatever it names, and never less than
            /// `ORLY_QUERY_RESULT_LIMIT`; 0 for any number.
            query_max_limit: u64 = "ORLY_QUERY_MAX_LIMIT", "10000";
            /// Subscriptions of all connections together.
            max_subscriptions_in_all: NonZeroUsize = "ORLY_MAX_SUBSCRIPTIONS", "10000";
            /// Subscriptions of a connection.
            max_subscriptions: NonZeroUsize = "ORLY_MAX_SUBSCRIPTIONS_PER_CONN", "300";
            /// Filters of a subscription.
            max_filters: NonZeroUsize = "ORLY_MAX_FILTERS", "20";
            /// Values of a filter, all lists together.
            max_filter_values: NonZeroUsize = "ORLY_MAX_FILTER_VALUES", "20000";
        }
        section "Publishing" {
            /// How far in the past `created_at` may be (NIP-22); 0s for any.
            created_at_past: Duration = "ORLY_CREATED_AT_PAST", "0s";
            /// Threads that check signatures; 0 for one a core.
            verify_threads: usize = "ORLY_VERIFY_THREADS", "0";
        }
        section "Connections" {
            /// Connections in all.
            max_connections: NonZeroUsize = "ORLY_MAX_GLOBAL_CONNECTIONS", "500";
            /// Connections from one address, of IPv6 from one network (/64); this machine and trusted proxies
            /// are not counted.
            max_connections_per_ip: NonZeroUsize = "ORLY_MAX_CONN_PER_IP", "100";
            /// Bytes of a message from a client.
            max_message_bytes: NonZeroUsize = "ORLY_MAX_MESSAGE_BYTES", "1048576";
            /// Bytes that wait for a client that reads slowly; then it is closed.
            max_outbox_bytes: NonZeroUsize = "ORLY_MAX_OUTBOX_BYTES", "8388608";
            /// How much may wait on behalf of all clients together, in MiB; 0 for 256, or half of what the
            /// control group allows if that is less.
            max_waiting_mb: usize = "ORLY_MAX_WAITING_MB", "0";
            /// A silent client is sent a ping after this long, and closed after twice as long.
            ping_interval: Interval = "ORLY_PING_INTERVAL", "1m";
            /// How long a shutdown waits for clients.
            drain_timeout: Duration = "ORLY_DRAIN_TIMEOUT", "5s";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl Limits {
    /// The same as the relay takes it; `memory` is what the control group allows.
    pub(crate) fn relay(&self, events: &EventLimits, memory: Option<u64>) -> relay::Limits {
        let unlimited = |limit: u64| if limit == 0 { u64::MAX } else { limit };
        let default_limit = unlimited(self.query_result_limit);
        relay::Limits {
            message_bytes: self.max_message_bytes.get(),
            event_bytes: events.bytes.get(),
            event_tags: events.tags.get(),
            created_at_future: events.future,
            created_at_past: self.created_at_past,
            subscriptions: self.max_subscriptions.get(),
            subscriptions_in_all: self.max_subscriptions_in_all.get(),
            filters: self.max_filters.get(),
            filter_values: self.max_filter_values.get(),
            default_limit,
            max_limit: unlimited(self.query_max_limit).max(default_limit),
            connections: self.max_connections.get(),
            connections_per_ip: self.max_connections_per_ip.get(),
            outbox_bytes: self.max_outbox_bytes.get(),
            waiting_bytes: self.waiting_bytes(memory),
            ping_interval: self.ping_interval.0,
        }
    }

    fn waiting_bytes(&self, memory: Option<u64>) -> usize {
        let half = memory.and_then(|bytes| usize::try_from(bytes / 2).ok()).unwrap_or(usize::MAX);
        match self.max_waiting_mb {
            0 => half.min(256 << 20),
            mib => mib.saturating_mul(1 << 20),
        }
    }

    /// How many threads check signatures.
    pub(crate) fn verify_threads(&self) -> usize {
        match self.verify_threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
