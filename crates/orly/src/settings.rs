//! What an operator sets: every environment variable of the relay process.

mod access;
mod values;

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use daemon::{Findings, LogFormat, LogLevel, LogOutput, Logging, Origin};
use service_settings::{AccessControl, EventLimits, Key, Reconciliation, RelayUrl, ServiceAddress};

pub(crate) use self::access::AccessControlHost;
use self::access::Addresses;
pub(crate) use self::values::{Database, SyncHost};
use self::values::{Off, Proxies, Unset};

daemon::settings! {
    /// The settings of the relay process.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Address" {
            /// Address to listen on.
            listen: IpAddr = "ORLY_LISTEN", "0.0.0.0";
            /// Port of WebSocket and HTTP; 0 takes a free one.
            port: u16 = "ORLY_PORT", "3334";
            /// Separate port for `/healthz` and `/metrics`; 0 for none.
            health_port: u16 = "ORLY_HEALTH_PORT", "0";
            /// Public address of the relay, as clients write it: checked by NIP-42 and NIP-98, named by
            /// requests to vanish (NIP-62).
            relay_url: Option<RelayUrl> = "ORLY_RELAY_URL", "";
            /// Proxies whose `X-Forwarded-For` is believed.
            trusted_proxies: Vec<Proxies> = "ORLY_TRUSTED_PROXIES", "";
            /// Whether pages of other origins may call `/api`.
            cors_enabled: bool = "ORLY_CORS_ENABLED", "false";
            /// The origins that may, if not all.
            cors_origins: Vec<String> = "ORLY_CORS_ORIGINS", "";
        }
        section "About" {
            /// Name of the relay (NIP-11), and of the directory its `.env` file is in.
            app_name: String = "ORLY_APP_NAME", "ORLY";
            /// One or two sentences about the relay (NIP-11).
            description: String = "ORLY_RELAY_DESCRIPTION", "A Nostr relay.";
            /// Whom to write to, as an address or URI (NIP-11).
            contact: Option<String> = "ORLY_RELAY_CONTACT", "";
            /// Picture of the relay, as a URL (NIP-11).
            icon: Option<String> = "ORLY_RELAY_ICON", "";
        }
        section "Access" {
            /// Whether reading and writing need NIP-42.
            auth_required: bool = "ORLY_AUTH_REQUIRED", "false";
            /// Whether writing needs NIP-42.
            auth_to_write: bool = "ORLY_AUTH_TO_WRITE", "false";
            /// Whether everybody may read private messages and gift wraps, not only their parties.
            privileged_open: bool = "ORLY_PRIVILEGED_OPEN", "false";
            /// Only clients from these addresses: `10.1.` means `10.1.0.0/16`, and so does `10.1`.
            ip_whitelist: Vec<Addresses> = "ORLY_IP_WHITELIST", "";
            /// No clients from these addresses.
            ip_blacklist: Vec<Addresses> = "ORLY_IP_BLACKLIST", "";
            /// Where access is decided: in this process, or in another one such as orly-acl.
            acl_type: AccessControlHost = "ORLY_ACL_TYPE", "local";
            /// Address of the access control service, for `ORLY_ACL_TYPE=grpc`.
            acl_server: ServiceAddress = "ORLY_GRPC_ACL_SERVER", "127.0.0.1:50052";
            /// How long it may take for an answer.
            acl_timeout: Duration = "ORLY_GRPC_ACL_TIMEOUT", "10s";
        }
        section "Event store" {
            /// Where events are kept: in this process (`badger`, the name of the original's engine; ours is
            /// LMDB), or in a database service (`grpc`), ours or the original's.
            db_type: Database = "ORLY_DB_TYPE", "badger";
            /// Address of the database service.
            db_server: ServiceAddress = "ORLY_GRPC_SERVER", "127.0.0.1:50051";
            /// Whether the files of that service are read directly, if they are on this host and this user
            /// may read and lock them: queries then take no way through it.
            db_direct_reads: bool = "ORLY_GRPC_DIRECT_READS", "true";
            /// How long the database service may be away at the start: until then the relay waits for it
            /// without a word in the log (clients are told `error:`), and commands wait before they fail.
            db_timeout: Duration = "ORLY_GRPC_CONNECT_TIMEOUT", "10s";
            /// Directory of the event store in this process.
            data_dir: PathBuf = "ORLY_DATA_DIR", "$XDG_DATA_HOME/ORLY";
            /// How large the event store may become, in MiB; 0 lets it grow as long as the disk has room.
            db_map_size_mb: usize = "ORLY_DB_MAP_SIZE_MB", "0";
        }
        section "Queries" {
            /// Events for a filter that names neither a limit nor ids; 0 for all.
            query_result_limit: u64 = "ORLY_QUERY_RESULT_LIMIT", "256";
            /// Events for a filter at most, whatever it names, and never less than
            /// `ORLY_QUERY_RESULT_LIMIT`; 0 for any number.
            query_max_limit: u64 = "ORLY_QUERY_MAX_LIMIT", "10000";
            /// Subscriptions of a connection.
            max_subscriptions: NonZeroUsize = "ORLY_MAX_SUBSCRIPTIONS_PER_CONN", "300";
            /// Filters of a subscription.
            max_filters: NonZeroUsize = "ORLY_MAX_FILTERS", "20";
            /// Values of a filter, all lists together.
            max_filter_values: NonZeroUsize = "ORLY_MAX_FILTER_VALUES", "20000";
        }
        section "Synchronisation" {
            /// Whether clients may reconcile (NIP-77).
            negentropy_enabled: bool = "ORLY_NEGENTROPY_ENABLED", "false";
            /// Where that is done, and peers are kept in step: in this process, or in another one such as
            /// orly-sync-negentropy (grpc).
            sync_type: SyncHost = "ORLY_SYNC_TYPE", "local";
            /// Address of that other process.
            sync_server: ServiceAddress = "ORLY_GRPC_SYNC_NEGENTROPY", "127.0.0.1:50064";
            /// How long it may take for an answer.
            sync_timeout: Duration = "ORLY_GRPC_SYNC_TIMEOUT", "10s";
            /// Who may read private messages and gift wraps of others, authenticated: relays that are trusted
            /// as this one is.
            full_sync_pubkeys: Vec<Key> = "ORLY_NEGENTROPY_FULL_SYNC_PUBKEYS", "";
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
            /// Connections from one address; this machine and trusted proxies are not counted.
            max_connections_per_ip: NonZeroUsize = "ORLY_MAX_CONN_PER_IP", "100";
            /// Bytes of a message from a client.
            max_message_bytes: NonZeroUsize = "ORLY_MAX_MESSAGE_BYTES", "1048576";
            /// Bytes that wait for a client that reads slowly; then it is closed.
            max_outbox_bytes: NonZeroUsize = "ORLY_MAX_OUTBOX_BYTES", "8388608";
            /// How much may wait on behalf of all clients together, in MiB; 0 for 256, or half of what the
            /// control group allows if that is less.
            max_waiting_mb: usize = "ORLY_MAX_WAITING_MB", "0";
            /// A silent client is sent a ping after this long, and closed after twice as long.
            ping_interval: Duration = "ORLY_PING_INTERVAL", "1m";
            /// How long a shutdown waits for clients.
            drain_timeout: Duration = "ORLY_DRAIN_TIMEOUT", "5s";
        }
        section "Log" {
            /// Least important lines that are logged.
            log_level: LogLevel = "ORLY_LOG_LEVEL", "info";
            /// The same for the event store, if it is to be another.
            db_log_level: Option<LogLevel> = "ORLY_DB_LOG_LEVEL", "";
            /// How lines look.
            log_format: LogFormat = "ORLY_LOG_FORMAT", "text";
            /// Whether the relay logs to stdout, not stderr.
            log_to_stdout: bool = "ORLY_LOG_TO_STDOUT", "false";
        }
        /// Who may read and write.
        group access: AccessControl;
        /// What clients may ask, and which relays are kept in step, in this process.
        group reconciliation: Reconciliation;
        /// Which events are taken.
        group events: EventLimits;
    }
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
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_URI", "bolt://localhost:7687";
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_USER", "neo4j";
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_PASSWORD", "";
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_MAX_CONN_POOL", "25";
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_FETCH_SIZE", "1000";
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_MAX_TX_RETRY_SEC", "30";
        /// For `ORLY_DB_TYPE=neo4j`.
        "ORLY_NEO4J_QUERY_RESULT_LIMIT", "10000";
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
        /// The relay ends by SIGTERM; nothing on the network can end it.
        "ORLY_ENABLE_SHUTDOWN", "false";
        /// A connection's messages are taken in order, however many there are.
        "ORLY_MAX_HANDLERS_PER_CONN", "100";
        /// Counted for each connection: `ORLY_MAX_SUBSCRIPTIONS_PER_CONN`.
        "ORLY_MAX_SUBSCRIPTIONS", "10000";
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
        /// Whether kind 24133 needs no NIP-42.
        "ORLY_NIP46_BYPASS_AUTH", "false";
        /// Where `policy.json` is.
        "ORLY_POLICY_PATH", "";
        /// Whether requests are counted for each address.
        "ORLY_HTTP_GUARD_ENABLED", "true";
        /// Requests of an address in a minute.
        "ORLY_HTTP_GUARD_RPM", "120";
        /// WebSockets of an address in a minute.
        "ORLY_HTTP_GUARD_WS_PER_MIN", "10";
        /// Whether known crawlers are refused.
        "ORLY_HTTP_GUARD_BOT_BLOCK", "true";
    }
}

impl Settings {
    /// How the relay logs; a command keeps stdout for its answer and is quiet unless told otherwise.
    pub(crate) fn logging(&self, findings: &Findings, is_relay: bool) -> Logging {
        let entry = findings.entry("ORLY_LOG_LEVEL");
        let is_told = is_relay || entry.is_some_and(|entry| entry.origin != Origin::Default);
        let level = if is_told { self.log_level } else { LogLevel::Warn };
        Logging {
            level,
            targets: self.db_log_level.map(|level| ("store_lmdb", level)).into_iter().collect(),
            format: self.log_format,
            output: if is_relay && self.log_to_stdout {
                LogOutput::Stdout
            } else {
                LogOutput::Stderr
            },
        }
    }

    /// The relay's own settings; its key is not known yet.
    pub(crate) fn relay(&self) -> relay::Settings {
        let keys = |keys: &[Key]| keys.iter().map(|key| key.0).collect::<Vec<_>>();
        relay::Settings {
            about: relay::About {
                name: self.app_name.clone(),
                description: self.description.clone(),
                url: self.url(),
                contact: self.contact.clone(),
                icon: self.icon.clone(),
                operator: self.access.owners().first().copied(),
                identity: Arc::default(),
            },
            access: relay::Access {
                owners: self.access.owners(),
                admins: self.access.admins(),
                auth_required: self.auth_required,
                auth_to_write: self.auth_to_write,
                privileged_open: self.privileged_open,
                full_sync: keys(&self.full_sync_pubkeys),
                ip_whitelist: self.ip_whitelist.iter().map(|range| range.0).collect(),
                ip_blacklist: self.ip_blacklist.iter().map(|range| range.0).collect(),
            },
            limits: self.limits(daemon::memory_limit()),
            cors_origins: self.cors_enabled.then(|| self.cors_origins.clone()),
            trusted_proxies: self.trusted_proxies.iter().map(|proxies| proxies.0).collect(),
            verify_threads: match self.verify_threads {
                0 => std::thread::available_parallelism().map_or(1, usize::from),
                threads => threads,
            },
            drain: self.drain_timeout,
        }
    }

    /// What a client may ask at most; `memory` is what the control group allows.
    fn limits(&self, memory: Option<u64>) -> relay::Limits {
        let unlimited = |limit: u64| if limit == 0 { u64::MAX } else { limit };
        let default_limit = unlimited(self.query_result_limit);
        relay::Limits {
            message_bytes: self.max_message_bytes.get(),
            event_bytes: self.events.bytes.get(),
            event_tags: self.events.tags.get(),
            created_at_future: self.events.future,
            created_at_past: self.created_at_past,
            subscriptions: self.max_subscriptions.get(),
            filters: self.max_filters.get(),
            filter_values: self.max_filter_values.get(),
            default_limit,
            max_limit: unlimited(self.query_max_limit).max(default_limit),
            connections: self.max_connections.get(),
            connections_per_ip: self.max_connections_per_ip.get(),
            outbox_bytes: self.max_outbox_bytes.get(),
            waiting_bytes: self.waiting_bytes(memory),
            ping_interval: self.ping_interval,
        }
    }

    fn waiting_bytes(&self, memory: Option<u64>) -> usize {
        let half = memory.and_then(|bytes| usize::try_from(bytes / 2).ok()).unwrap_or(usize::MAX);
        match self.max_waiting_mb {
            0 => half.min(256 << 20),
            mib => mib.saturating_mul(1 << 20),
        }
    }

    /// The relay's public address, as `wss://…`.
    pub(crate) fn url(&self) -> Option<String> {
        self.relay_url.as_ref().map(|url| url.as_str().to_owned())
    }
}

#[cfg(test)]
mod tests;
