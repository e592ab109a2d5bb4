//! Where every process starts: settings, logging, signals, shutdown.
//!
//! A process is `daemon::with_command_line(|line| daemon::run(threads, logging, serve))`: [`settings!`] makes its
//! table of variables, [`run`] reads it, starts logging and the runtime, and turns signals into a token. Knows
//! nothing of Nostr; the only place that reads environment variables.

mod command_line;
mod duration;
mod environment;
mod environment_file;
mod files;
mod log_settings;
mod logging;
mod memory;
mod page;
mod reader;
mod run;
mod service_manager;
mod setting;
mod signals;
mod table;

pub use command_line::with_command_line;
pub use duration::{format_duration, parse_duration};
pub use environment::Environment;
pub use files::raise_file_limit;
pub use log_settings::LogSettings;
pub use logging::{LogFormat, LogLevel, LogOutput, Logging, set_log_level};
pub use memory::{available_memory, memory_limit};
pub use page::{help, page};
pub use reader::{
    Entry, Findings, InvalidSetting, InvalidSettings, Loaded, Origin, Reader, Weight, load,
};
pub use run::{EXIT_USAGE, Start, Threads, run};
pub use service_manager::ServiceManager;
pub use setting::{Setting, choice};
pub use table::{Effect, Row, Settings, joined, joined_len};
