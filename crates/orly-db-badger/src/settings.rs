//! What an operator sets: every environment variable of the process.

use std::num::NonZeroUsize;
use std::time::Duration;

use daemon::{LogLevel, LogSettings, Logging, Setting, choice};
use rpc::DatabaseOptions;
use service_settings::{EmbeddedStore, RelayUrl, ServiceAddress};

const MIB: usize = 1 << 20;

daemon::settings! {
    /// The settings of the event store.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Service" {
            /// Where relays and other services find it. Whoever can connect may do everything: leave it on this
            /// machine, or in a network of its own.
            listen: ServiceAddress = "ORLY_DB_LISTEN" | "ORLY_LAUNCHER_DB_LISTEN", "127.0.0.1:50051";
        }
        section "Event store" {
            /// Public address of the relay, named by requests to vanish (NIP-62).
            relay_url: Option<RelayUrl> = "ORLY_RELAY_URL", "";
        }
        section "Calls of orlydb.v1" {
            /// Queries that read at the same moment; 0 for any number.
            max_concurrent_queries: usize = "ORLY_DB_MAX_CONCURRENT_QUERIES", "3";
            /// Events in a message of a stream.
            stream_batch_size: NonZeroUsize = "ORLY_DB_STREAM_BATCH_SIZE", "100";
            /// Whether answers that clients want kept are not.
            query_cache_disabled: bool = "ORLY_DB_QUERY_CACHE_DISABLED", "false";
            /// Memory for such answers, in MiB; never more than an eighth of what the control group allows.
            query_cache_size_mb: usize = "ORLY_DB_QUERY_CACHE_SIZE_MB", "256";
            /// How long an answer is kept; any change of the store ends it earlier.
            query_cache_max_age: Duration = "ORLY_DB_QUERY_CACHE_MAX_AGE", "5m";
        }
        section "Log" {
            /// Least important lines that are logged; clients may change it (`SetLogLevel`).
            log_level: LogLevel = "ORLY_DB_LOG_LEVEL" | "ORLY_LOG_LEVEL", "info";
        }
        /// The event store.
        group store: EmbeddedStore;
        /// How the log is written.
        group log: LogSettings;
    }
    one value {
        /// The engine; `badger` is the name of the original's, and LMDB here. `grpc` is for the relay.
        "ORLY_DB_TYPE": Engine, "badger";
    }
    no effect {
        /// LMDB has no cache of its own: the system's page cache takes what memory is free.
        "ORLY_DB_BLOCK_CACHE_MB", "1024";
        /// LMDB has no cache of its own: the system's page cache takes what memory is free.
        "ORLY_DB_INDEX_CACHE_MB", "512";
        /// Events are kept packed, so that they can be served from disk without being unpacked.
        "ORLY_DB_ZSTD_LEVEL", "3";
        /// Events hold their ids and keys themselves.
        "ORLY_SERIAL_CACHE_PUBKEYS", "100000";
        /// Events hold their ids and keys themselves.
        "ORLY_SERIAL_CACHE_EVENT_IDS", "500000";
    }
    not yet {}
}

/// The engine of this process, and of the relay where they share an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// LMDB.
    Embedded,
    /// A relay is told that its store is a service: this one.
    ForTheRelay,
}

impl Setting for Engine {
    fn expected() -> String {
        "badger (orly-db-neo4j is the service for neo4j)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("badger", Self::Embedded), ("grpc", Self::ForTheRelay)], text)
    }
}

impl Settings {
    /// How the service logs.
    pub(crate) fn logging(&self) -> Logging {
        self.log.logging(self.log_level)
    }

    /// How the service answers; `memory` is how many bytes the process may take, if anything says so.
    pub(crate) fn database(&self, memory: Option<u64>) -> DatabaseOptions {
        let cache = match self.query_cache_disabled {
            true => 0,
            false => self.query_cache_size_mb.saturating_mul(MIB),
        };
        let most = memory.and_then(|bytes| usize::try_from(bytes / 8).ok()).unwrap_or(usize::MAX);
        DatabaseOptions {
            directory: self.store.data_dir.clone(),
            stream_batch: self.stream_batch_size.get(),
            max_concurrent_queries: self.max_concurrent_queries,
            query_cache_bytes: cache.min(most),
            query_cache_age: self.query_cache_max_age,
        }
    }
}

#[cfg(test)]
mod tests;
