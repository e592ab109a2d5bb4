//! What an operator sets: every environment variable of the process.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use daemon::{LogLevel, LogSettings, Logging, Setting, choice};
use rpc::DatabaseOptions;
use service_settings::{Neo4jServer, RelayUrl, ServiceAddress};

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
        section "Questions in Cypher" {
            /// Whether clients may ask them (`ExecuteCypherRead`). The server refuses what writes; the relay asks for
            /// nobody but an owner.
            cypher_enabled: bool = "ORLY_NEO4J_CYPHER_ENABLED", "false";
            /// Seconds an answer may take.
            cypher_timeout: NonZeroU64 = "ORLY_NEO4J_CYPHER_TIMEOUT", "30";
            /// Rows an answer may have; what is beyond is left out.
            cypher_max_rows: NonZeroUsize = "ORLY_NEO4J_CYPHER_MAX_ROWS", "10000";
        }
        section "Event store" {
            /// Directory of blobs and thumbnails, which are files beside the database.
            data_dir: PathBuf = "ORLY_DATA_DIR", "$XDG_DATA_HOME/ORLY";
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
        /// The server.
        group neo4j: Neo4jServer;
        /// How the log is written.
        group log: LogSettings;
    }
    one value {
        /// The engine. `grpc` is for the relay.
        "ORLY_DB_TYPE": Engine, "neo4j";
    }
    no effect {
        /// The store is on the server.
        "ORLY_DB_MAP_SIZE_MB", "0";
        /// The server has its own: set its page cache.
        "ORLY_DB_BLOCK_CACHE_MB", "1024";
        /// The server has its own: set its page cache.
        "ORLY_DB_INDEX_CACHE_MB", "512";
        /// Events are kept packed.
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
    /// A Neo4j server.
    Neo4j,
    /// A relay is told that its store is a service: this one.
    ForTheRelay,
}

impl Setting for Engine {
    fn expected() -> String {
        "neo4j (orly-db-badger is the service for badger)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("neo4j", Self::Neo4j), ("grpc", Self::ForTheRelay)], text)
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
            directory: self.data_dir.clone(),
            stream_batch: self.stream_batch_size.get(),
            max_concurrent_queries: self.max_concurrent_queries,
            query_cache_bytes: cache.min(most),
            query_cache_age: self.query_cache_max_age,
        }
    }
}

#[cfg(test)]
mod tests;
