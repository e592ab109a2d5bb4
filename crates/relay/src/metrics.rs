//! Figures for Prometheus.

mod classic;

use std::sync::atomic::AtomicU64;

use event::Prefix;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use store::StoreStatus;

pub(crate) use classic::classic;

/// The type of what is rendered.
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text";

/// What the relay counts.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) connections_opened: Counter,
    pub(crate) connections_refused: Counter,
    pub(crate) requests_refused: Counter,
    pub(crate) slow_readers: Counter,
    pub(crate) subscriptions: Gauge,
    pub(crate) events_received: Counter,
    pub(crate) events_stored: Counter,
    pub(crate) events_delivered: Counter,
    events_refused: Family<Reason, Counter>,
    pub(crate) queries: Counter,
    pub(crate) query_events: Counter,
    pub(crate) query_seconds: Histogram,
    pub(crate) bytes_received: Counter,
    pub(crate) bytes_sent: Counter,
    store_events: Gauge<u64, AtomicU64>,
    store_serial: Gauge<u64, AtomicU64>,
    store_bytes: Gauge<u64, AtomicU64>,
    store_read_only: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("orly");
        macro_rules! metric {
            ($name:literal, $help:literal, $metric:expr) => {{
                let metric = $metric;
                registry.register($name, $help, metric.clone());
                metric
            }};
        }
        let connections = metric!("connections", "Open WebSocket connections", Gauge::default());
        let connections_opened =
            metric!("connections_opened", "WebSocket connections opened", Counter::default());
        let connections_refused = metric!(
            "connections_refused",
            "Connections refused by a limit or list",
            Counter::default()
        );
        let requests_refused = metric!(
            "requests_refused",
            "HTTP requests and handshakes refused: too many of an address, or a crawler",
            Counter::default()
        );
        let slow_readers = metric!(
            "slow_readers_closed",
            "Connections closed because too much waited",
            Counter::default()
        );
        let subscriptions = metric!("subscriptions", "Open subscriptions", Gauge::default());
        let events_received =
            metric!("events_received", "EVENT messages received", Counter::default());
        let events_stored = metric!("events_stored", "Events stored", Counter::default());
        let events_delivered =
            metric!("events_delivered", "New events handed to subscriptions", Counter::default());
        let events_refused = metric!(
            "events_refused",
            "Events refused, by prefix of the reason",
            Family::<Reason, Counter>::default()
        );
        let queries = metric!("queries", "Filters of REQ answered", Counter::default());
        let query_events =
            metric!("query_events", "Stored events sent for queries", Counter::default());
        let buckets = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
        let query_seconds = Histogram::new(buckets);
        registry.register_with_unit(
            "query",
            "From REQ to EOSE",
            Unit::Seconds,
            query_seconds.clone(),
        );
        let bytes_received =
            metric!("bytes_received", "Bytes of WebSocket messages received", Counter::default());
        let bytes_sent =
            metric!("bytes_sent", "Bytes of WebSocket messages sent", Counter::default());
        let store_events = metric!("store_events", "Events stored now", Gauge::default());
        let store_serial = metric!("store_serial", "Newest serial", Gauge::default());
        let store_bytes =
            metric!("store_bytes", "Bytes the event store takes on disk", Gauge::default());
        let store_read_only =
            metric!("store_read_only", "1 while nothing can be written", Gauge::default());
        Self {
            registry,
            connections,
            connections_opened,
            connections_refused,
            requests_refused,
            slow_readers,
            subscriptions,
            events_received,
            events_stored,
            events_delivered,
            events_refused,
            queries,
            query_events,
            query_seconds,
            bytes_received,
            bytes_sent,
            store_events,
            store_serial,
            store_bytes,
            store_read_only,
        }
    }

    pub(crate) fn refused(&self, prefix: Prefix) {
        self.events_refused.get_or_create(&Reason { reason: prefix.as_str() }).inc();
    }

    /// All figures as OpenMetrics.
    pub(crate) fn render(&self, status: Option<&StoreStatus>) -> String {
        if let Some(status) = status {
            self.store_events.set(status.events);
            self.store_serial.set(status.last_serial.as_u64());
            self.store_bytes.set(status.disk_bytes);
            self.store_read_only.set(i64::from(status.read_only.is_some()));
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a string");
        text
    }
}
