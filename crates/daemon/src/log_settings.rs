//! How a process writes its log: the settings that all have.

use crate::{LogFormat, LogLevel, LogOutput, Logging};

crate::settings! {
    /// How a process writes its log; how much of it is the process's own to say.
    #[derive(Clone, Debug)]
    pub struct LogSettings {
        section "Log" {
            /// How lines look.
            format: LogFormat = "ORLY_LOG_FORMAT", "text";
            /// Whether lines go to stdout, not stderr.
            to_stdout: bool = "ORLY_LOG_TO_STDOUT", "false";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl LogSettings {
    /// A log of what is at least as important as `level`.
    pub fn logging(&self, level: LogLevel) -> Logging {
        let output = if self.to_stdout { LogOutput::Stdout } else { LogOutput::Stderr };
        Logging { level, targets: Vec::new(), format: self.format, output }
    }
}
