//! What the supervisor needs of the operating system, or of a script in its tests.

use std::fmt;
use std::io;
use std::pin::Pin;

use tokio::io::AsyncRead;

use crate::Unit;

/// Starts processes and signals them.
pub trait Spawner: Send + Sync + 'static {
    /// Starts the unit's program.
    fn spawn(&self, unit: &Unit) -> io::Result<Process>;

    /// Signals a process that was spawned here; one that has ended is left alone.
    fn signal(&self, pid: u32, signal: Signal);
}

/// A process that was started.
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// What it writes.
    pub output: Vec<Box<dyn AsyncRead + Send + Unpin>>,
    /// Comes when it has ended, and with it all that it started.
    pub ending: Pin<Box<dyn Future<Output = Ending> + Send>>,
}

/// What a process is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Stop in order: SIGTERM to it and what it started.
    Terminate,
    /// SIGKILL to it and what it started.
    Kill,
    /// SIGHUP, for processes that listen to it.
    Hangup,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Nobody can tell.
    Unknown(String),
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(number) => match nix::sys::signal::Signal::try_from(*number) {
                Ok(signal) => write!(f, "was ended by {signal}"),
                Err(_) => write!(f, "was ended by signal {number}"),
            },
            Self::Unknown(reason) => write!(f, "ended: {reason}"),
        }
    }
}
