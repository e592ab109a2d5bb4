//! Whose turn it is to start and to stop.

use tokio::time::Instant;

use super::{Fleet, Phase};
use crate::State;

impl Fleet {
    /// Not wanted, and nobody that waits for it is on the way down before it.
    pub(super) fn may_stop(&self, number: usize) -> bool {
        let member = &self.members[number];
        let is_on_the_way_down = |&dependant: &usize| {
            let dependant = &self.members[dependant];
            !dependant.is_wanted && dependant.state.has_process()
        };
        !member.is_wanted && !member.place.dependants.iter().any(is_on_the_way_down)
    }

    /// Wanted, its time has come, and nothing is in its way.
    pub(super) fn may_start(&self, number: usize, now: Instant) -> bool {
        let member = &self.members[number];
        let is_time = match member.state {
            State::Stopped => true,
            State::Backoff { until, .. } | State::Failed { until: Some(until), .. } => now >= until,
            State::Failed { until: None, .. } => false,
            State::Starting { .. } | State::Ready { .. } | State::Stopping { .. } => false,
        };
        member.is_wanted && is_time && self.obstacles(number).next().is_none()
    }

    /// Units that are to run and that this one waits for now.
    pub fn waits_for(&self, number: usize) -> Vec<&str> {
        let member = &self.members[number];
        if !member.is_wanted || member.state.has_process() {
            return Vec::new();
        }
        self.obstacles(number).map(|number| self.members[number].unit.name.as_str()).collect()
    }

    /// The units that keep one from starting.
    fn obstacles(&self, number: usize) -> impl Iterator<Item = usize> {
        let member = &self.members[number];
        let is_first = member.state == State::Stopped;
        let needs = member.place.needs.iter().filter(|&&need| !self.members[need].state.is_ready());
        let after = member.place.after.iter().filter(move |&&before| {
            let before = &self.members[before];
            let is_on_the_way_up = match before.state {
                State::Stopped | State::Starting { .. } => true,
                // The first start goes on with it or is given up.
                State::Backoff { .. } => self.phase == Phase::First,
                State::Ready { .. } | State::Stopping { .. } | State::Failed { .. } => false,
            };
            is_first && before.is_wanted && is_on_the_way_up
        });
        needs.chain(after).copied()
    }
}
