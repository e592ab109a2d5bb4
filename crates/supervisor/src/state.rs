//! The life of one unit: what is, what happens, what follows. Decides only.

use tokio::time::Instant;

use crate::{Cause, Ending, Health, Unit};

/// Probes in a row without an answer after which a unit counts as hung.
const SILENCES: u32 = 3;

/// How far a unit is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It does not run.
    Stopped,
    /// It runs and is not ready yet.
    Starting {
        /// When it was spawned.
        since: Instant,
        /// Failures in a row before.
        failures: u32,
        /// What the last probe said.
        health: Option<Health>,
    },
    /// It does its work.
    Ready {
        /// When it became ready.
        since: Instant,
        /// Failures in a row before.
        failures: u32,
        /// Probes in a row that it did not answer.
        silences: u32,
    },
    /// It was asked to stop.
    Stopping {
        /// When it was asked.
        since: Instant,
        /// What comes when it has.
        then: Then,
        /// Whether it had to be killed.
        is_killed: bool,
    },
    /// It failed and will be started again.
    Backoff {
        /// Failures in a row.
        failures: u32,
        /// When it is started again.
        until: Instant,
    },
    /// It fails whatever is tried.
    Failed {
        /// Failures in a row.
        failures: u32,
        /// When it is tried again; `None` if that cannot help.
        until: Option<Instant>,
    },
}

/// What comes after a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    Rest,
    /// A start, as was asked for.
    StartAgain,
    /// What follows so many failures in a row.
    Fail(u32),
}

/// What happens to a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is to run, and all it needs is there.
    Start,
    /// It is to stop.
    Stop,
    /// It is to stop and to start.
    Restart,
    /// It could not be spawned.
    NotSpawned(String),
    /// It answered a probe, or did not.
    Probed(Health),
    /// Its process ended.
    Ended(Ending),
    /// Time went by.
    Tick,
}

/// What is to be done for a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Start its process.
    Spawn,
    /// Ask its process to stop.
    Terminate,
    /// Kill its process.
    Kill,
    /// Tell why it does not work.
    Report(Cause),
}

/// When something happens, and luck for what is not to happen at the same time everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The time.
    pub now: Instant,
    /// A random number.
    pub chance: u8,
}

/// What becomes of a unit in `state` by `event`, and what is to be done.
pub fn next(state: State, event: Event, unit: &Unit, moment: Moment) -> (State, Vec<Action>) {
    let now = moment.now;
    let stop =
        |then| (State::Stopping { since: now, then, is_killed: false }, vec![Action::Terminate]);
    match (state, event) {
        (State::Stopped, Event::Start) => start(now, 0),
        (State::Backoff { failures, .. } | State::Failed { failures, .. }, Event::Start) => {
            start(now, failures)
        }
        (
            State::Stopped | State::Backoff { .. } | State::Failed { .. },
            Event::Stop | Event::Restart,
        ) => (State::Stopped, Vec::new()),

        (State::Starting { failures, .. }, Event::NotSpawned(reason)) => {
            fail(unit, failures + 1, Cause::NotSpawned(reason), moment)
        }
        (State::Starting { failures, .. }, Event::Ended(ending)) => {
            fail(unit, failures + 1, Cause::Ended(ending), moment)
        }
        (State::Starting { failures, .. }, Event::Probed(Health::Serving)) => {
            (State::Ready { since: now, failures, silences: 0 }, Vec::new())
        }
        (State::Starting { since, failures, .. }, Event::Probed(health)) => {
            (State::Starting { since, failures, health: Some(health) }, Vec::new())
        }
        (State::Starting { since, failures, health }, Event::Tick)
            if now >= since + unit.ready_timeout =>
        {
            let (state, mut actions) = stop(Then::Fail(failures + 1));
            let cause = Cause::NotReady { timeout: unit.ready_timeout, health };
            actions.insert(0, Action::Report(cause));
            (state, actions)
        }
        (State::Starting { .. } | State::Ready { .. }, Event::Stop) => stop(Then::Rest),
        (State::Starting { .. } | State::Ready { .. }, Event::Restart) => stop(Then::StartAgain),

        (State::Ready { since, failures, .. }, Event::Ended(ending)) => {
            fail(unit, failures_after(unit, since, failures, now), Cause::Ended(ending), moment)
        }
        (State::Ready { since, failures, silences }, Event::Probed(Health::Silent(reason))) => {
            if silences + 1 < SILENCES {
                return (State::Ready { since, failures, silences: silences + 1 }, Vec::new());
            }
            let failures = failures_after(unit, since, failures, now);
            let (state, mut actions) = stop(Then::Fail(failures));
            actions.insert(0, Action::Report(Cause::Hung(reason)));
            (state, actions)
        }
        (
            State::Ready { since, failures, .. },
            Event::Probed(Health::Serving | Health::Unready(_)),
        ) => (State::Ready { since, failures, silences: 0 }, Vec::new()),

        (State::Stopping { then, .. }, Event::Ended(_) | Event::NotSpawned(_)) => match then {
            Then::Rest | Then::StartAgain => (State::Stopped, Vec::new()),
            Then::Fail(failures) => (after_failure(unit, failures, moment), Vec::new()),
        },
        (State::Stopping { since, then, is_killed: false }, Event::Tick)
            if now >= since + unit.stop_timeout =>
        {
            let report = Action::Report(Cause::Stubborn(unit.stop_timeout));
            (State::Stopping { since, then, is_killed: true }, vec![report, Action::Kill])
        }
        (State::Stopping { since, is_killed, .. }, Event::Stop) => {
            (State::Stopping { since, then: Then::Rest, is_killed }, Vec::new())
        }
        (State::Stopping { since, is_killed, .. }, Event::Restart) => {
            (State::Stopping { since, then: Then::StartAgain, is_killed }, Vec::new())
        }
        // All else comes too late or too early to mean anything.
        (state, _) => (state, Vec::new()),
    }
}

fn start(now: Instant, failures: u32) -> (State, Vec<Action>) {
    (State::Starting { since: now, failures, health: None }, vec![Action::Spawn])
}

/// The failures in a row when a run ends that was ready since then.
fn failures_after(unit: &Unit, since: Instant, failures: u32, now: Instant) -> u32 {
    if now >= since + unit.restart.stable_after { 1 } else { failures + 1 }
}

fn fail(unit: &Unit, failures: u32, cause: Cause, moment: Moment) -> (State, Vec<Action>) {
    let is_hopeless = matches!(
        &cause,
        Cause::Ended(Ending::Code(code)) if unit.restart.hopeless_codes.contains(code)
    );
    let state = if is_hopeless {
        State::Failed { failures, until: None }
    } else {
        after_failure(unit, failures, moment)
    };
    (state, vec![Action::Report(cause)])
}

fn after_failure(unit: &Unit, failures: u32, moment: Moment) -> State {
    let policy = &unit.restart;
    if failures >= policy.crash_loop_after {
        return State::Failed { failures, until: Some(moment.now + policy.crash_loop_delay) };
    }
    State::Backoff { failures, until: moment.now + policy.delay(failures, moment.chance) }
}

impl State {
    /// Whether it has a process.
    pub fn has_process(&self) -> bool {
        match self {
            Self::Starting { .. } | Self::Ready { .. } | Self::Stopping { .. } => true,
            Self::Stopped | Self::Backoff { .. } | Self::Failed { .. } => false,
        }
    }

    /// Whether it does its work.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready { .. })
    }

    /// Failures in a row up to now.
    pub fn failures(&self) -> u32 {
        match self {
            Self::Stopped => 0,
            Self::Starting { failures, .. }
            | Self::Ready { failures, .. }
            | Self::Backoff { failures, .. }
            | Self::Failed { failures, .. } => *failures,
            Self::Stopping { then: Then::Fail(failures), .. } => *failures,
            Self::Stopping { then: Then::Rest | Then::StartAgain, .. } => 0,
        }
    }

    /// When something has to be done if nothing happens until then.
    pub fn deadline(&self, unit: &Unit) -> Option<Instant> {
        match self {
            Self::Starting { since, .. } => Some(*since + unit.ready_timeout),
            Self::Stopping { since, is_killed: false, .. } => Some(*since + unit.stop_timeout),
            Self::Backoff { until, .. } => Some(*until),
            Self::Failed { until, .. } => *until,
            Self::Stopped | Self::Ready { .. } | Self::Stopping { is_killed: true, .. } => None,
        }
    }

    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Starting { .. } => "starting",
            Self::Ready { .. } => "ready",
            Self::Stopping { .. } => "stopping",
            Self::Backoff { .. } => "backoff",
            Self::Failed { .. } => "failed",
        }
    }
}
