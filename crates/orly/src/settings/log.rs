//! The log of the relay and of its commands.

use daemon::{Findings, LogLevel, LogOutput, LogSettings, Logging, Origin};

daemon::settings! {
    /// The log of the relay and of its commands.
    #[derive(Clone, Debug)]
    pub(crate) struct Log {
        section "Log" {
            /// Least important lines that are logged.
            level: LogLevel = "ORLY_LOG_LEVEL", "info";
            /// The same for the event store, if it is to be another.
            db_level: Option<LogLevel> = "ORLY_DB_LOG_LEVEL", "";
        }
        /// How it is written.
        group lines: LogSettings;
    }
    one value {}
    no effect {}
    not yet {}
}

impl Log {
    /// The log of the relay.
    pub(crate) fn of_relay(&self) -> Logging {
        let targets = self.db_level.map(|level| ("store_lmdb", level)).into_iter().collect();
        Logging { targets, ..self.lines.logging(self.level) }
    }

    /// The log of a command, which keeps stdout for its answer and is quiet unless told otherwise.
    pub(crate) fn of_command(&self, findings: &Findings) -> Logging {
        let entry = findings.entry("ORLY_LOG_LEVEL");
        let is_told = entry.is_some_and(|entry| entry.origin != Origin::Default);
        let level = if is_told { self.level } else { LogLevel::Warn };
        Logging { level, output: LogOutput::Stderr, ..self.of_relay() }
    }
}
