//! What an operator sets: every environment variable of the process.

use daemon::{LogLevel, LogSettings, Logging};
use service_settings::{AccessControl, Database, EmbeddedStore, RelayAddresses, ServiceAddress};

daemon::settings! {
    /// The settings of the access control service.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Service" {
            /// Where relays find the service.
            listen: ServiceAddress = "ORLY_ACL_LISTEN" | "ORLY_LAUNCHER_ACL_LISTEN", "127.0.0.1:50052";
            /// Whether nobody reads who is unknown, for `ORLY_ACL_MODE=managed`.
            auth_required: bool = "ORLY_AUTH_REQUIRED", "false";
        }
        section "Event store" {
            /// Where decisions and follow lists are kept: at a database service (grpc), or in an embedded store
            /// (badger, the name of the original's, which is LMDB here).
            db_type: Database = "ORLY_ACL_DB_TYPE" | "ORLY_DB_TYPE", "grpc";
            /// Address of the database service.
            db_server: ServiceAddress =
                "ORLY_ACL_GRPC_DB_SERVER" | "ORLY_GRPC_SERVER", "127.0.0.1:50051";
        }
        section "Log" {
            /// Least important lines that are logged.
            log_level: LogLevel = "ORLY_ACL_LOG_LEVEL" | "ORLY_LOG_LEVEL", "info";
        }
        /// Where clients find the relay.
        group relay: RelayAddresses;
        /// The event store, if this process keeps it.
        group store: EmbeddedStore;
        /// How the log is written.
        group log: LogSettings;
        /// Who may read and write.
        group access: AccessControl;
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

    /// What access control is told.
    pub(crate) fn access_control(&self) -> acl::Settings {
        self.access.settings(self.auth_required, &self.relay)
    }
}

#[cfg(test)]
mod tests;
