//! What an operator sets: every environment variable of the launcher, and its file `launcher.json`.

mod file;
mod values;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use daemon::{LogLevel, LogSettings, Logging, Reader, Row};
use service_settings::{AclMode, Key};

pub(crate) use self::file::{ConfigFile, keys as config_keys};
use self::values::{DbBackend, HttpUrl, ServiceAddress};

daemon::settings! {
    /// The variables of the launcher.
    #[derive(Clone, Debug)]
    pub(crate) struct Variables {
        section "Services" {
            /// Whether services start with the launcher; if not, someone has to start them.
            services_enabled: bool = "ORLY_LAUNCHER_SERVICES_ENABLED", "true";
            /// Directory of the event store; all services are told.
            data_dir: PathBuf = "ORLY_DATA_DIR", "$XDG_DATA_HOME/ORLY";
            /// How long a service may take to stop; then it is killed. The event store may take all of it,
            /// others 10 s of it.
            stop_timeout: Duration = "ORLY_LAUNCHER_STOP_TIMEOUT", "30s";
        }
        section "Event store" {
            /// Engine of the event store; `badger` is the name of the embedded one.
            db_backend: DbBackend = "ORLY_LAUNCHER_DB_BACKEND" | "ORLY_LAUNCHER_DB_DRIVER", "badger";
            /// Its program; `orly-db-` and the engine if not set.
            db_binary: Option<String> = "ORLY_LAUNCHER_DB_BINARY", "";
            /// Where it listens.
            db_listen: ServiceAddress = "ORLY_LAUNCHER_DB_LISTEN", "127.0.0.1:50051";
            /// How long it may take to become ready.
            db_ready_timeout: Duration = "ORLY_LAUNCHER_DB_READY_TIMEOUT", "30s";
            /// How much it logs; as much as the launcher if not set.
            db_log_level: Option<LogLevel> = "ORLY_DB_LOG_LEVEL", "";
        }
        section "Access control" {
            /// Whether access control is a service.
            acl_enabled: bool = "ORLY_LAUNCHER_ACL_ENABLED", "false";
            /// Its program; `orly-acl-` and the mode, or `orly-acl`, if not set.
            acl_binary: Option<String> = "ORLY_LAUNCHER_ACL_BINARY", "";
            /// Who may write; `follows` for the service if not set.
            acl_mode: Option<AclMode> = "ORLY_ACL_MODE", "";
            /// Where it listens.
            acl_listen: ServiceAddress = "ORLY_LAUNCHER_ACL_LISTEN", "127.0.0.1:50052";
            /// How long it may take to become ready.
            acl_ready_timeout: Duration = "ORLY_LAUNCHER_ACL_READY_TIMEOUT", "120s";
        }
        section "Synchronisation" {
            /// Whether synchronisation by serials is a service.
            distributed_enabled: bool = "ORLY_LAUNCHER_SYNC_DISTRIBUTED_ENABLED", "false";
            /// Its program.
            distributed_binary: String = "ORLY_LAUNCHER_SYNC_DISTRIBUTED_BINARY", "orly-sync-distributed";
            /// Where it listens.
            distributed_listen: ServiceAddress =
                "ORLY_LAUNCHER_SYNC_DISTRIBUTED_LISTEN" | "ORLY_SYNC_DISTRIBUTED_LISTEN", "127.0.0.1:50061";
            /// Whether replication in a cluster is a service.
            cluster_enabled: bool = "ORLY_LAUNCHER_SYNC_CLUSTER_ENABLED", "false";
            /// Its program.
            cluster_binary: String = "ORLY_LAUNCHER_SYNC_CLUSTER_BINARY", "orly-sync-cluster";
            /// Where it listens.
            cluster_listen: ServiceAddress =
                "ORLY_LAUNCHER_SYNC_CLUSTER_LISTEN" | "ORLY_SYNC_CLUSTER_LISTEN", "127.0.0.1:50062";
            /// Whether relay groups are a service.
            relaygroup_enabled: bool = "ORLY_LAUNCHER_SYNC_RELAYGROUP_ENABLED", "false";
            /// Its program.
            relaygroup_binary: String = "ORLY_LAUNCHER_SYNC_RELAYGROUP_BINARY", "orly-sync-relaygroup";
            /// Where it listens.
            relaygroup_listen: ServiceAddress =
                "ORLY_LAUNCHER_SYNC_RELAYGROUP_LISTEN" | "ORLY_SYNC_RELAYGROUP_LISTEN", "127.0.0.1:50063";
            /// Whether reconciliation (NIP-77) is a service.
            negentropy_enabled: bool = "ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED", "false";
            /// Its program.
            negentropy_binary: String = "ORLY_LAUNCHER_SYNC_NEGENTROPY_BINARY", "orly-sync-negentropy";
            /// Where it listens.
            negentropy_listen: ServiceAddress =
                "ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN" | "ORLY_SYNC_NEGENTROPY_LISTEN", "127.0.0.1:50064";
            /// How long each of them may take to become ready.
            sync_ready_timeout: Duration = "ORLY_LAUNCHER_SYNC_READY_TIMEOUT", "30s";
        }
        section "Relay" {
            /// Its program.
            relay_binary: String = "ORLY_LAUNCHER_RELAY_BINARY", "orly";
            /// Address it listens on.
            relay_listen: IpAddr = "ORLY_LISTEN", "0.0.0.0";
            /// Port it listens on.
            relay_port: u16 = "ORLY_PORT", "3334";
            /// How long it may take to become ready.
            relay_ready_timeout: Duration = "ORLY_LAUNCHER_RELAY_READY_TIMEOUT", "30s";
            /// Whether reading and writing need NIP-42; passed on.
            auth_required: Option<bool> = "ORLY_AUTH_REQUIRED", "";
            /// Whether writing needs NIP-42; passed on.
            auth_to_write: Option<bool> = "ORLY_AUTH_TO_WRITE", "";
        }
        section "Restarts" {
            /// Wait before a service that ended is started again; it doubles with each failure in a row.
            restart_delay: Duration = "ORLY_LAUNCHER_RESTART_DELAY", "100ms";
            /// The longest such wait.
            restart_max_delay: Duration = "ORLY_LAUNCHER_RESTART_MAX_DELAY", "30s";
            /// A service that was ready for so long has no failures behind it.
            stable_after: Duration = "ORLY_LAUNCHER_STABLE_AFTER", "60s";
            /// So many failures in a row are a crash loop: from there on it is tried once a minute.
            crash_loop_after: u32 = "ORLY_LAUNCHER_CRASH_LOOP_AFTER", "10";
        }
        section "Administration" {
            /// Whether there is a page and an interface for owners over HTTP.
            admin_enabled: bool = "ORLY_LAUNCHER_ADMIN_ENABLED", "true";
            /// Address it listens on.
            admin_listen: IpAddr = "ORLY_LAUNCHER_ADMIN_LISTEN", "127.0.0.1";
            /// Port it listens on; 0 takes a free one.
            admin_port: u16 = "ORLY_LAUNCHER_ADMIN_PORT", "8080";
            /// Its address as browsers see it, if a proxy stands in front or it is not used on this machine:
            /// signatures (NIP-98) are for one address.
            admin_url: Option<HttpUrl> = "ORLY_LAUNCHER_ADMIN_URL", "";
            /// Who may use it; nobody if there are none.
            owners: Vec<Key> = "ORLY_LAUNCHER_OWNERS", "";
            /// Where versions of the programs are: `current` in it is looked at before PATH.
            bin_dir: PathBuf = "ORLY_LAUNCHER_BIN_DIR", "$XDG_DATA_HOME/orly/bin";
            /// Socket of the commands `status`, `restart`, `stop`, `start` and `logs`; `orly-launcher.sock` in
            /// XDG_RUNTIME_DIR or in the data directory if not set.
            socket: Option<PathBuf> = "ORLY_LAUNCHER_SOCKET", "";
        }
        section "Log" {
            /// Least important lines that are logged; services are told.
            log_level: LogLevel = "ORLY_LOG_LEVEL", "info";
        }
        section "System" {
            /// Where programs are looked for last.
            path: String = "PATH", "/usr/local/bin:/usr/bin:/bin";
            /// Where sockets are, for a user who is logged in.
            runtime_dir: Option<PathBuf> = "XDG_RUNTIME_DIR", "";
        }
        /// How the log is written, also that of services.
        group log: LogSettings;
    }
    one value {}
    no effect {
        /// Certificates: put a proxy that ends TLS in front.
        "ORLY_LAUNCHER_CERTS_ENABLED", "false";
        /// Certificates: put a proxy that ends TLS in front.
        "ORLY_LAUNCHER_CERTS_BINARY", "orly-certs";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_ENABLED", "false";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_BINARY", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_SHIM_BINARY", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_LISTEN", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_RPC_PORT", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_DATA_DIR", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_PRUNE_MB", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_NETWORK", "";
        /// A Bitcoin node is no part of this appliance.
        "ORLY_LAUNCHER_NITS_READY_TIMEOUT", "";
        /// A Lightning node is no part of this appliance.
        "ORLY_LAUNCHER_LUK_ENABLED", "false";
        /// A Lightning node is no part of this appliance.
        "ORLY_LAUNCHER_LUK_BINARY", "";
        /// A Lightning node is no part of this appliance.
        "ORLY_LAUNCHER_LUK_DATA_DIR", "";
        /// A Lightning node is no part of this appliance.
        "ORLY_LAUNCHER_LUK_RPC_LISTEN", "";
        /// A Lightning node is no part of this appliance.
        "ORLY_LAUNCHER_LUK_PEER_LISTEN", "";
        /// A Lightning node is no part of this appliance.
        "ORLY_LAUNCHER_LUK_READY_TIMEOUT", "";
        /// A wallet is no part of this appliance.
        "ORLY_LAUNCHER_STRELA_ENABLED", "false";
        /// A wallet is no part of this appliance.
        "ORLY_LAUNCHER_STRELA_BINARY", "";
        /// A wallet is no part of this appliance.
        "ORLY_LAUNCHER_STRELA_PORT", "";
        /// A wallet is no part of this appliance.
        "ORLY_LAUNCHER_STRELA_DATA_DIR", "";
        /// A wallet is no part of this appliance.
        "ORLY_LAUNCHER_STRELA_READY_TIMEOUT", "";
    }
    not yet {}
}

/// The settings of the launcher: its variables, some of which may stand in its file.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) variables: Variables,
    pub(crate) config_file: PathBuf,
}

impl daemon::Settings for Settings {
    const TABLE: &'static [Row] = Variables::TABLE;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let config_file = file::path(reader.environment());
        match ConfigFile::read(&config_file) {
            Ok(file) => file.assume(&config_file, reader),
            Err(invalid) => reader.fault(daemon::InvalidSetting::Other(invalid.to_string())),
        }
        Some(Self { variables: Variables::read(reader)?, config_file })
    }
}

impl Settings {
    /// The log of the launcher itself.
    pub(crate) fn logging(&self) -> Logging {
        self.variables.log.logging(self.variables.log_level)
    }

    /// The socket of the commands.
    pub(crate) fn socket(&self) -> PathBuf {
        let variables = &self.variables;
        // Whoever became another user may still have the variable of the first.
        let runtime = variables.runtime_dir.as_deref().filter(|directory| directory.is_dir());
        let directory = || runtime.unwrap_or(&variables.data_dir);
        variables.socket.clone().unwrap_or_else(|| directory().join("orly-launcher.sock"))
    }

    /// Where programs are looked for, besides the launcher's own directory.
    pub(crate) fn program_directories(&self) -> Vec<PathBuf> {
        let path = self.variables.path.split(':').filter(|part| !part.is_empty()).map(Path::new);
        let current = self.variables.bin_dir.join("current");
        std::iter::once(current).chain(path.map(Path::to_owned)).collect()
    }
}

#[cfg(test)]
mod tests;
