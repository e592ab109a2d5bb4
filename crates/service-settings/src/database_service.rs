//! An event store as a service, whatever its engine.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use daemon::{LogLevel, LogSettings, Logging};
use rpc::DatabaseOptions;

use crate::{RelayAddresses, ServiceAddress};

const MIB: usize = 1 << 20;

daemon::settings! {
    /// What every event store has that is a service.
    #[derive(Clone, Debug)]
    pub struct DatabaseService {
        section "Service" {
            /// Where relays and other services find it. Whoever can connect may do everything: leave it on this
            /// machine, or in a network of its own.
            listen: ServiceAddress = "ORLY_DB_LISTEN" | "ORLY_LAUNCHER_DB_LISTEN", "127.0.0.1:50051";
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
        /// Where clients find the relay.
        group relay: RelayAddresses;
        /// How the log is written.
        group log: LogSettings;
    }
    one value {}
    no effect {
        /// Events are kept packed, so that they can be served without being unpacked.
        "ORLY_DB_ZSTD_LEVEL", "3";
        /// Events hold their ids and keys themselves.
        "ORLY_SERIAL_CACHE_PUBKEYS", "100000";
        /// Events hold their ids and keys themselves.
        "ORLY_SERIAL_CACHE_EVENT_IDS", "500000";
    }
    not yet {}
}

impl DatabaseService {
    /// How the service logs.
    pub fn logging(&self) -> Logging {
        self.log.logging(self.log_level)
    }

    /// How the service answers, with its files in `directory`; `memory` is how many bytes the process may take,
    /// if anything says so.
    pub fn options(&self, directory: PathBuf, memory: Option<u64>) -> DatabaseOptions {
        let cache = match self.query_cache_disabled {
            true => 0,
            false => self.query_cache_size_mb.saturating_mul(MIB),
        };
        let most = memory.and_then(|bytes| usize::try_from(bytes / 8).ok()).unwrap_or(usize::MAX);
        DatabaseOptions {
            directory,
            stream_batch: self.stream_batch_size.get(),
            max_concurrent_queries: self.max_concurrent_queries,
            query_cache_bytes: cache.min(most),
            query_cache_age: self.query_cache_max_age,
        }
    }
}

#[cfg(test)]
mod tests {
    use daemon::Environment;

    use super::*;

    #[test]
    fn the_cache_is_what_is_set_and_fits() {
        let bytes = |variables: &[(&str, &str)], memory| {
            let environment = Environment::of(variables.iter().copied());
            let service = daemon::load::<DatabaseService>(&environment).settings.unwrap();
            service.options(PathBuf::new(), memory).query_cache_bytes
        };
        assert_eq!(bytes(&[], None), 256 << 20);
        assert_eq!(bytes(&[], Some(128 << 20)), 16 << 20);
        assert_eq!(bytes(&[("ORLY_DB_QUERY_CACHE_SIZE_MB", "1")], Some(128 << 20)), 1 << 20);
        assert_eq!(bytes(&[("ORLY_DB_QUERY_CACHE_DISABLED", "true")], None), 0);
    }
}
