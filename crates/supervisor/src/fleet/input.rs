//! What comes in from outside, and what goes out to be done.

use crate::{Action, Cause, Event};

/// What happens to the fleet.
#[derive(Clone, Debug)]
pub enum Input {
    /// Something to the given run of a unit.
    Unit(usize, u64, Event),
    /// A unit is to run, and all it needs.
    Start(usize),
    /// A unit is not to run.
    Stop(usize),
    /// A unit is to stop and to start.
    Restart(usize),
    /// All units are to run.
    StartAll,
    /// No unit is to run.
    StopAll,
    /// All units are to stop in order, and those that ran to start.
    RestartAll,
    /// No unit is to run any more.
    Close,
    /// Time went by.
    Tick,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// An action for a unit.
    Do(usize, Action),
    /// Tell that all units that are to run are ready, for the first time.
    AllReady,
    /// Tell that the first start is given up because of a unit.
    GiveUp(usize, Cause),
}
