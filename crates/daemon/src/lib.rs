//! Where every process starts: settings, logging, signals, shutdown.
//!
//! A process is `daemon::run(logging, serve)`: [`settings!`] makes its table of variables, [`run`]
//! reads it, starts logging and the runtime, and turns signals into a token. Knows nothing of Nostr;
//! the only place that reads environment variables.

mod duration;
mod environment;
mod environment_file;
mod files;
mod logging;
mod memory;
mod reader;
mod run;
mod service_manager;
mod setting;
mod signals;
mod table;

pub use duration::{format_duration, parse_duration};
pub use environment::Environment;
pub use files::raise_file_limit;
pub use logging::{LogFormat, LogLevel, LogOutput, Logging, set_log_level};
pub use memory::{available_memory, memory_limit};
pub use reader::{
    Entry, Findings, InvalidSetting, InvalidSettings, Loaded, Origin, Reader, Weight, load,
};
pub use run::{EXIT_USAGE, Start, run, run_on_one_thread};
pub use service_manager::ServiceManager;
pub use setting::{Setting, choice};
pub use table::{Effect, Row, Settings, joined, joined_len, markdown};
