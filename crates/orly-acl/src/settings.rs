//! What an operator sets: every environment variable of the process.

use std::path::PathBuf;

use daemon::{Effect, LogFormat, LogLevel, LogOutput, Logging, Setting, Settings as _, choice};
use service_settings::{AccessControl, RelayUrl, ServiceAddress};

daemon::settings! {
    /// The settings of the access control service.
    #[derive(Clone, Debug)]
    pub(crate) struct Settings {
        section "Service" {
            /// Where relays find the service.
            listen: ServiceAddress = "ORLY_ACL_LISTEN" | "ORLY_LAUNCHER_ACL_LISTEN", "127.0.0.1:50052";
            /// Public address of the relay: it is not asked for follow lists.
            relay_url: Option<RelayUrl> = "ORLY_RELAY_URL", "";
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
            /// Directory of an embedded store.
            data_dir: PathBuf = "ORLY_DATA_DIR", "$XDG_DATA_HOME/ORLY";
            /// How large an embedded store may become, in MiB; 0 lets it grow as long as the disk has room.
            db_map_size_mb: usize = "ORLY_DB_MAP_SIZE_MB", "0";
        }
        section "Log" {
            /// Least important lines that are logged.
            log_level: LogLevel = "ORLY_ACL_LOG_LEVEL" | "ORLY_LOG_LEVEL", "info";
            /// How lines look.
            log_format: LogFormat = "ORLY_LOG_FORMAT", "text";
            /// Whether the service logs to stdout, not stderr.
            log_to_stdout: bool = "ORLY_LOG_TO_STDOUT", "false";
        }
        /// Who may read and write.
        group access: AccessControl;
    }
    one value {}
    no effect {}
    not yet {}
}

/// Where events are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    /// At a database service.
    Remote,
    /// In a store of this process.
    Embedded,
}

impl Setting for Database {
    fn expected() -> String {
        "grpc (a database service, whatever its engine), or badger (the embedded store)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("grpc", Self::Remote), ("badger", Self::Embedded)], text)
    }
}

impl Settings {
    /// How the service logs.
    pub(crate) fn logging(&self) -> Logging {
        Logging {
            level: self.log_level,
            targets: Vec::new(),
            format: self.log_format,
            output: if self.log_to_stdout { LogOutput::Stdout } else { LogOutput::Stderr },
        }
    }

    /// What access control is told.
    pub(crate) fn access_control(&self) -> acl::Settings {
        self.access.settings(self.auth_required, self.url().as_deref())
    }

    /// The relay's public address, as `wss://…`.
    pub(crate) fn url(&self) -> Option<String> {
        self.relay_url.as_ref().map(|url| url.as_str().to_owned())
    }
}

/// The variables, for `--help`.
pub(crate) fn help() -> String {
    let rows = Settings::TABLE.iter().filter(|row| row.effect == Effect::Full);
    let line =
        |row: &daemon::Row| format!("  {}={}\n      {}\n", row.variable, row.default, row.text());
    format!("Settings are environment variables:\n{}", rows.map(line).collect::<String>())
}

#[cfg(test)]
mod tests;
