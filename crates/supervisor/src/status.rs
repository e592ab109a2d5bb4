//! What there is to be seen of the units.

use std::time::Duration;

use crate::{Health, State, Then, Usage};

/// All units at one time.
#[derive(Clone, Debug)]
pub struct Status {
    /// The units, in the order they start.
    pub units: Vec<UnitStatus>,
    /// Whether all that are to run are ready.
    pub is_ready: bool,
}

/// A unit.
#[derive(Clone, Debug)]
pub struct UnitStatus {
    /// Its name.
    pub name: String,
    /// Its priority.
    pub priority: u16,
    /// One of stopped, starting, ready, stopping, backoff, failed.
    pub state: &'static str,
    /// Whether it is to run.
    pub is_wanted: bool,
    /// The units it waits for before it starts.
    pub waits_for: Vec<String>,
    /// Its process.
    pub pid: Option<u32>,
    /// How long its process has been running.
    pub uptime: Option<Duration>,
    /// How often it was started again.
    pub restarts: u64,
    /// Failures in a row.
    pub failures: u32,
    /// When it is tried again.
    pub retry_in: Option<Duration>,
    /// Why it last failed, and how long ago.
    pub last_failure: Option<(String, Duration)>,
    /// What it said when it was last asked how it is.
    pub health: Option<Health>,
    /// What it takes of the machine.
    pub usage: Option<Usage>,
    /// How much of one processor it took lately, in percent.
    pub cpu_percent: Option<f64>,
}

impl UnitStatus {
    /// The word for a state. One in which it fails again and again is a crash loop also while it is tried.
    pub(crate) fn word(state: &State) -> &'static str {
        match state {
            State::Stopping { then: Then::StartAgain, .. } => "restarting",
            state => state.name(),
        }
    }
}
