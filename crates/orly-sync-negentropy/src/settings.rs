//! What an operator sets: every environment variable of the process.

use daemon::{LogLevel, LogSettings, Logging};
use service_settings::{
    Database, EmbeddedStore, EventLimits, Reconciliation, RelayAddresses, ServiceAddress,
};

daemon::settings! {
    /// The settings of the reconciliation service.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Service" {
            /// Where relays find the service.
            listen: ServiceAddress =
                "ORLY_SYNC_NEGENTROPY_LISTEN" | "ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN", "127.0.0.1:50064";
        }
        section "Event store" {
            /// Where events are: at a database service (grpc), or in an embedded store (badger, the name of the
            /// original's, which is LMDB here).
            db_type: Database = "ORLY_SYNC_NEGENTROPY_DB_TYPE" | "ORLY_DB_TYPE", "grpc";
            /// Address of the database service.
            db_server: ServiceAddress =
                "ORLY_SYNC_NEGENTROPY_DB_SERVER" | "ORLY_GRPC_SERVER", "127.0.0.1:50051";
        }
        section "Log" {
            /// Least important lines that are logged.
            log_level: LogLevel = "ORLY_SYNC_NEGENTROPY_LOG_LEVEL" | "ORLY_LOG_LEVEL", "info";
        }
        /// Where clients find the relay.
        group relay: RelayAddresses;
        /// The event store, if this process keeps it.
        group store: EmbeddedStore;
        /// How the log is written.
        group log: LogSettings;
        /// What clients may ask, and which relays are kept in step.
        group reconciliation: Reconciliation;
        /// Which events are taken.
        group events: EventLimits;
    }
    one value {}
    no effect {}
    not yet {}
}

impl Settings {
    /// How the service logs.
    pub(crate) fn logging(&self) -> Logging {
        self.log.logging(self.log_level)
    }
}

#[cfg(test)]
mod tests;
