//! Variables of other versions, of the original and of what is not built yet: whoever sets them is told.

use super::values::{Off, Unset};

daemon::settings! {
    /// Variables that set nothing.
    #[derive(Clone, Debug)]
    pub(crate) struct Unused {}
    one value {
        /// Certificates of its own: put a proxy that ends TLS in front.
        "ORLY_TLS_DOMAINS": Unset, "";
        /// Certificates of its own: put a proxy that ends TLS in front.
        "ORLY_CERTS": Unset, "";
        /// Write policies from `policy.json`.
        "ORLY_POLICY_ENABLED": Off, "false";
        /// A script that decides about events.
        "ORLY_SPROCKET_ENABLED": Off, "false";
        /// Access for those who pay.
        "ORLY_SUBSCRIPTION_ENABLED": Off, "false";
    }
    no effect {
        /// For synchronisation over gRPC (`ORLY_SYNC_TYPE=grpc`).
        "ORLY_GRPC_SYNC_DISTRIBUTED", "127.0.0.1:50053";
        /// For synchronisation over gRPC (`ORLY_SYNC_TYPE=grpc`).
        "ORLY_GRPC_SYNC_CLUSTER", "127.0.0.1:50054";
        /// For synchronisation over gRPC (`ORLY_SYNC_TYPE=grpc`).
        "ORLY_GRPC_SYNC_RELAYGROUP", "127.0.0.1:50055";
        /// Questions in Cypher are answered by orly-db-neo4j.
        "ORLY_NEO4J_CYPHER_ENABLED", "false";
        /// Questions in Cypher are answered by orly-db-neo4j.
        "ORLY_NEO4J_CYPHER_TIMEOUT", "30";
        /// Questions in Cypher are answered by orly-db-neo4j.
        "ORLY_NEO4J_CYPHER_MAX_ROWS", "10000";
        /// LMDB has no cache of its own: the system's page cache takes what memory is free.
        "ORLY_DB_BLOCK_CACHE_MB", "1024";
        /// LMDB has no cache of its own: the system's page cache takes what memory is free.
        "ORLY_DB_INDEX_CACHE_MB", "512";
        /// Events are kept packed, so that they can be served from disk without being unpacked.
        "ORLY_DB_ZSTD_LEVEL", "3";
        /// Answers are read from indexes; there is no cache of them.
        "ORLY_QUERY_CACHE_DISABLED", "true";
        /// Answers are read from indexes; there is no cache of them.
        "ORLY_QUERY_CACHE_SIZE_MB", "512";
        /// Answers are read from indexes; there is no cache of them.
        "ORLY_QUERY_CACHE_MAX_AGE", "5m";
        /// Events hold their ids and keys themselves.
        "ORLY_SERIAL_CACHE_PUBKEYS", "250000";
        /// Events hold their ids and keys themselves.
        "ORLY_SERIAL_CACHE_EVENT_IDS", "1000000";
        /// The log is not kept in memory: the service manager or container keeps it.
        "ORLY_LOG_BUFFER_SIZE", "10000";
        /// Go's profiler; use `perf` here.
        "ORLY_PPROF", "";
        /// Go's profiler; use `perf` here.
        "ORLY_PPROF_PATH", "";
        /// Go's profiler; use `perf` here.
        "ORLY_PPROF_HTTP", "false";
        /// A connection's messages are taken in order, however many there are.
        "ORLY_MAX_HANDLERS_PER_CONN", "100";
        /// Connections above the limit are refused at once.
        "ORLY_CONN_DELAY_MAX_MS", "2000";
        /// There are no goroutines.
        "ORLY_GOROUTINE_WARNING", "5000";
        /// There are no goroutines.
        "ORLY_GOROUTINE_MAX", "10000";
        /// Memory is bounded by the limits above, not by slowing clients down.
        "ORLY_RATE_LIMIT_ENABLED", "true";
        /// Memory is bounded by the limits above, not by slowing clients down.
        "ORLY_RATE_LIMIT_TARGET_MB", "0";
    }
    not yet {
        /// Peers that are polled for new events.
        "ORLY_RELAY_PEERS", "";
        /// Who may publish the members of a relay group.
        "ORLY_RELAY_GROUP_ADMINS", "";
        /// Who may publish the members of a cluster.
        "ORLY_CLUSTER_ADMINS", "";
        /// Whether private kinds are listed to members of a cluster.
        "ORLY_CLUSTER_PROPAGATE_PRIVILEGED_EVENTS", "true";
        /// Where `policy.json` is.
        "ORLY_POLICY_PATH", "";
    }
}
