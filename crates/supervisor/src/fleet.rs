//! All units together: who may start and who may stop, and when. Decides only.

mod input;
mod turn;

use tokio::time::Instant;

pub use self::input::{Input, Order};
use crate::order::{InvalidOrder, Place, places};
use crate::{Action, Cause, Event, Moment, State, Unit, next};

/// Failures in a row after which the first start of all is given up.
const FIRST_TRIES: u32 = 3;

/// All units, and what is wanted of them.
#[derive(Debug)]
pub struct Fleet {
    members: Vec<Member>,
    phase: Phase,
}

#[derive(Debug)]
struct Member {
    unit: Unit,
    place: Place,
    state: State,
    /// Whether it is to run.
    is_wanted: bool,
    /// Whether it is to run once all have stopped.
    is_wanted_again: bool,
    /// How often it was spawned.
    run: u64,
}

/// Where the whole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Units start for the first time; a failure ends the whole.
    First,
    /// They were all ready once: from here on failures are repaired.
    Up,
    /// All stop, to start again.
    Again,
    /// All stop.
    Closing,
}

impl Fleet {
    /// Units that do not run yet.
    pub fn new(units: Vec<Unit>) -> Result<Self, InvalidOrder> {
        let places = places(&units)?;
        let member = |(unit, place)| Member {
            unit,
            place,
            state: State::Stopped,
            is_wanted: false,
            is_wanted_again: false,
            run: 0,
        };
        let members = units.into_iter().zip(places).map(member).collect();
        Ok(Self { members, phase: Phase::Up })
    }

    /// Starts all; should one not come up, the whole stops.
    pub fn first_start(&mut self, moment: Moment) -> Vec<Order> {
        self.phase = Phase::First;
        self.handle(Input::StartAll, moment)
    }

    /// What is to be done because of `input`.
    pub fn handle(&mut self, input: Input, moment: Moment) -> Vec<Order> {
        let mut orders = Vec::new();
        match input {
            Input::Unit(number, run, event) => {
                if self.members.get(number).is_some_and(|member| member.run == run) {
                    self.apply(number, event, moment, &mut orders);
                }
            }
            Input::Start(number) => self.want(number, moment, &mut orders),
            Input::Stop(number) => {
                if let Some(member) = self.members.get_mut(number) {
                    (member.is_wanted, member.is_wanted_again) = (false, false);
                    self.apply(number, Event::Stop, moment, &mut orders);
                }
            }
            Input::Restart(number) if number < self.members.len() => {
                self.apply(number, Event::Restart, moment, &mut orders);
                self.want(number, moment, &mut orders);
            }
            Input::Restart(_) | Input::Tick => {}
            Input::StartAll => {
                for number in 0..self.members.len() {
                    self.want(number, moment, &mut orders);
                }
            }
            Input::StopAll => self.want_none(),
            Input::RestartAll if self.phase != Phase::Closing => {
                for member in &mut self.members {
                    member.is_wanted_again |= member.is_wanted;
                }
                self.want_none();
                self.phase = Phase::Again;
            }
            Input::RestartAll => {}
            Input::Close => self.close(),
        }
        self.settle(moment, &mut orders);
        orders
    }

    /// When something has to be done if nothing happens until then.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let deadline = |number| {
            let member: &Member = &self.members[number];
            let deadline = member.state.deadline(&member.unit)?;
            // A unit whose time has come may still wait for another one, which will be heard of.
            let is_waiting = || deadline > now || self.may_start(number, now);
            (member.state.has_process() || (member.is_wanted && is_waiting())).then_some(deadline)
        };
        (0..self.members.len()).filter_map(deadline).min()
    }

    /// Whether all has stopped and is to stay so.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closing && self.is_at_rest()
    }

    /// Whether no unit has a process.
    pub fn is_at_rest(&self) -> bool {
        !self.members.iter().any(|member| member.state.has_process())
    }

    /// Whether all units that are to run are ready.
    pub fn is_ready(&self) -> bool {
        self.members.iter().all(|member| !member.is_wanted || member.state.is_ready())
    }

    /// How many units there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no unit.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The number of the unit of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.members.iter().position(|member| member.unit.name == name)
    }

    /// A unit.
    pub fn unit(&self, number: usize) -> &Unit {
        &self.members[number].unit
    }

    /// How far a unit is.
    pub fn state(&self, number: usize) -> &State {
        &self.members[number].state
    }

    /// Which run of a unit this is; 0 before the first.
    pub fn run(&self, number: usize) -> u64 {
        self.members[number].run
    }

    /// Whether a unit is to run.
    pub fn is_wanted(&self, number: usize) -> bool {
        self.members[number].is_wanted
    }

    /// Units by rank, those of one rank by priority.
    pub fn in_order(&self) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..self.members.len()).collect();
        numbers.sort_by_key(|&number| {
            let member = &self.members[number];
            (member.place.rank, member.unit.priority)
        });
        numbers
    }

    /// A unit is to run, and all it needs; those among them that wait for another try are tried at once.
    fn want(&mut self, number: usize, moment: Moment, orders: &mut Vec<Order>) {
        if number >= self.members.len() || self.phase == Phase::Closing {
            return;
        }
        let member = &mut self.members[number];
        if self.phase == Phase::Again {
            member.is_wanted_again = true;
        } else {
            member.is_wanted = true;
        }
        if matches!(member.state, State::Backoff { .. } | State::Failed { .. }) {
            self.apply(number, Event::Restart, moment, orders);
        }
        for need in self.members[number].place.needs.clone() {
            self.want(need, moment, orders);
        }
    }

    fn want_none(&mut self) {
        for member in &mut self.members {
            member.is_wanted = false;
        }
    }

    fn close(&mut self) {
        self.want_none();
        for member in &mut self.members {
            member.is_wanted_again = false;
        }
        self.phase = Phase::Closing;
    }

    /// Starts and stops all that may start and stop by now.
    fn settle(&mut self, moment: Moment, orders: &mut Vec<Order>) {
        for number in self.in_order() {
            self.apply(number, Event::Tick, moment, orders);
        }
        if self.phase == Phase::Again && self.is_at_rest() {
            self.phase = Phase::Up;
            for member in &mut self.members {
                member.is_wanted = std::mem::take(&mut member.is_wanted_again);
            }
        }
        // A stop frees what it waited for at most when its process ends, so one round each is enough.
        for number in self.in_order().into_iter().rev() {
            if self.may_stop(number) {
                self.apply(number, Event::Stop, moment, orders);
            }
        }
        for number in self.in_order() {
            if self.may_start(number, moment.now) {
                self.apply(number, Event::Start, moment, orders);
            }
        }
        if self.phase == Phase::First && self.is_ready() {
            self.phase = Phase::Up;
            orders.push(Order::AllReady);
        }
    }

    fn apply(&mut self, number: usize, event: Event, moment: Moment, orders: &mut Vec<Order>) {
        let member = &mut self.members[number];
        let state = std::mem::replace(&mut member.state, State::Stopped);
        let (state, actions) = next(state, event, &member.unit, moment);
        member.state = state;
        let mut given_up = None;
        for action in actions {
            match &action {
                Action::Spawn => member.run += 1,
                Action::Report(cause) if self.phase == Phase::First => {
                    let is_late = matches!(cause, Cause::NotReady { .. });
                    let is_failed = matches!(member.state, State::Failed { .. });
                    if is_late || is_failed || member.state.failures() >= FIRST_TRIES {
                        given_up = Some(cause.clone());
                    }
                }
                Action::Report(_) | Action::Terminate | Action::Kill => {}
            }
            orders.push(Order::Do(number, action));
        }
        if let Some(cause) = given_up {
            orders.push(Order::GiveUp(number, cause));
            self.close();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
