//! The log: lines of text or JSON on stderr or stdout.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

use crate::{Setting, choice};

/// What is logged, how and where to.
#[derive(Clone, Debug)]
pub struct Logging {
    /// The least important level that is logged.
    pub level: LogLevel,
    /// Crates with a level of their own.
    pub targets: Vec<(&'static str, LogLevel)>,
    /// How a line looks.
    pub format: LogFormat,
    /// Where lines go.
    pub output: LogOutput,
}

/// Crates of others whose every message is of no use to an operator: they say no more than this.
const TALKATIVE: [&str; 5] = ["h2", "hyper", "hyper_util", "tonic", "tower"];

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing is logged.
    Off,
    /// Someone must act.
    Error,
    /// Went on without something.
    Warn,
    /// Life cycle.
    Info,
    /// Each message.
    Debug,
    /// Each step.
    Trace,
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object, for collectors.
    Json,
}

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogOutput {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
}

impl Setting for LogLevel {
    fn expected() -> String {
        "one of off, fatal, error, warn, info, debug, trace".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let choices = [
            ("off", Self::Off),
            // What ends the process is logged as an error.
            ("fatal", Self::Error),
            ("error", Self::Error),
            ("warn", Self::Warn),
            ("info", Self::Info),
            ("debug", Self::Debug),
            ("trace", Self::Trace),
        ];
        choice(&choices, text)
    }
}

impl Setting for LogFormat {
    fn expected() -> String {
        "text or json".into()
    }

    fn parse(text: &str) -> Option<Self> {
        choice(&[("text", Self::Text), ("json", Self::Json)], text)
    }
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

impl Logging {
    /// Logs from here on.
    pub(crate) fn start(&self) {
        let quiet = LevelFilter::from(self.level.min(LogLevel::Info));
        let talkative = TALKATIVE.map(|name| (name, quiet));
        let targets = Targets::new().with_default(LevelFilter::from(self.level));
        let targets = targets.with_targets(talkative).with_targets(
            self.targets.iter().map(|&(name, level)| (name, LevelFilter::from(level))),
        );
        let layer = match self.output {
            LogOutput::Stderr => layer(self.format, io::stderr, io::stderr().is_terminal()),
            LogOutput::Stdout => layer(self.format, io::stdout, io::stdout().is_terminal()),
        };
        let (targets, handle) = reload::Layer::new(targets);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(targets));
        // A test may have set a logger up before; its levels are the ones that hold.
        if subscriber.try_init().is_ok() {
            drop(LEVELS.set(handle));
        }
    }
}

/// The levels of the process's log, which is as global as the log itself.
static LEVELS: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Logs from here on what is at least as important as the level of this name, at a client's wish; `false` if
/// there is none. Crates with a level of their own keep it.
pub fn set_log_level(name: &str) -> bool {
    let Some(level) = LogLevel::parse(name) else { return false };
    if let Some(levels) = LEVELS.get() {
        let set = |targets: &mut Targets| {
            *targets = std::mem::take(targets).with_default(LevelFilter::from(level));
        };
        // It fails only when the log is gone, at the very end.
        drop(levels.modify(set));
    }
    tracing::info!(level = name, "log level set by a client");
    true
}

fn layer<S, W>(format: LogFormat, writer: W, is_terminal: bool) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    match format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(is_terminal).boxed(),
        LogFormat::Json => fmt::layer().with_writer(writer).json().flatten_event(true).boxed(),
    }
}
