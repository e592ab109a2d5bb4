//! Does what [`Fleet`] decides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::handle::{Change, Message};
use crate::live::Live;
use crate::run::Reporter;
use crate::{
    Action, Cause, Event, Fleet, Handle, Input, InvalidOrder, Moment, Order, Output, Probe,
    Refused, Signal, Sink, Spawner, StartFailed, State, Status, Unit, UnitStatus,
};

/// Messages that may wait.
const INBOX: usize = 256;
/// When there is nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);
/// How much of its output is told when a unit cannot be started.
const LAST_LINES: usize = 10;

/// Runs units.
pub struct Supervisor<S> {
    fleet: Fleet,
    live: Vec<Live>,
    spawner: Arc<S>,
    output: Arc<Output>,
    inbox: mpsc::Receiver<Message>,
    handle: Handle,
    tasks: TaskTracker,
    failure: Option<StartFailed>,
}

impl<S: Spawner> Supervisor<S> {
    /// Units, each with its probe, none running yet.
    pub fn new(
        units: Vec<(Unit, Arc<dyn Probe>)>,
        spawner: Arc<S>,
        sink: Arc<dyn Sink>,
    ) -> Result<Self, InvalidOrder> {
        let (units, probes): (Vec<_>, Vec<_>) = units.into_iter().unzip();
        let output = Arc::new(Output::new(units.iter().map(|unit| unit.name.as_str()), sink));
        let (sender, inbox) = mpsc::channel(INBOX);
        let handle = Handle { sender, output: output.clone() };
        let live = probes.into_iter().map(Live::new).collect();
        let fleet = Fleet::new(units)?;
        let tasks = TaskTracker::new();
        Ok(Self { fleet, live, spawner, output, inbox, handle, tasks, failure: None })
    }

    /// Talks to it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Starts all, calls `on_ready` when they are ready, and keeps them running until `shutdown`; then stops
    /// them. Fails if the first start fails.
    pub async fn run(
        mut self,
        shutdown: CancellationToken,
        on_ready: impl FnOnce(),
    ) -> Result<(), StartFailed> {
        let orders = self.fleet.first_start(moment());
        self.work(orders, shutdown, on_ready).await
    }

    /// The same with no unit running until someone asks for it.
    pub async fn run_idle(mut self, shutdown: CancellationToken) {
        // Without a first start nothing can fail.
        drop(self.work(Vec::new(), shutdown, || {}).await);
    }

    async fn work(
        &mut self,
        orders: Vec<Order>,
        shutdown: CancellationToken,
        on_ready: impl FnOnce(),
    ) -> Result<(), StartFailed> {
        let mut on_ready = Some(on_ready);
        let mut is_closing = false;
        self.obey(orders, &mut on_ready);
        while !self.fleet.is_closed() {
            let now = Instant::now();
            let deadline = self.fleet.deadline(now).unwrap_or(now + LONG);
            let input = tokio::select! {
                () = shutdown.cancelled(), if !is_closing => {
                    is_closing = true;
                    Some(Input::Close)
                }
                Some(message) = self.inbox.recv() => self.receive(message),
                () = sleep_until(deadline) => Some(Input::Tick),
            };
            if let Some(input) = input {
                let orders = self.fleet.handle(input, moment());
                self.obey(orders, &mut on_ready);
            }
        }
        self.tasks.close();
        self.tasks.wait().await;
        self.failure.take().map_or(Ok(()), Err)
    }

    fn receive(&mut self, message: Message) -> Option<Input> {
        match message {
            Message::Unit(unit, run, event) => {
                if run == self.fleet.run(unit) {
                    self.live[unit].note(&event);
                }
                Some(Input::Unit(unit, run, event))
            }
            Message::Change(change, answer) => {
                let input = self.input(change);
                // Whoever asked may have gone.
                drop(answer.send(input.as_ref().map(|_| ()).map_err(Clone::clone)));
                input.ok()
            }
            Message::Status(answer) => {
                drop(answer.send(self.status()));
                None
            }
            Message::Hangup => {
                for pid in self.live.iter().filter_map(|live| live.pid) {
                    self.spawner.signal(pid, Signal::Hangup);
                }
                None
            }
        }
    }

    fn input(&self, change: Change) -> Result<Input, Refused> {
        let is_wanted = |number| self.fleet.is_wanted(number);
        let mut units = 0..self.fleet.len();
        match change {
            Change::One(input, name) => match self.fleet.find(&name) {
                Some(number) => Ok(input(number)),
                None => {
                    let known = units.map(|number| self.fleet.unit(number).name.clone()).collect();
                    Err(Refused::Unknown { name, known })
                }
            },
            Change::StartAll if units.all(is_wanted) => Err(Refused::Already("all units run")),
            Change::StopAll if !units.any(is_wanted) => {
                Err(Refused::Already("all units are stopped"))
            }
            Change::StartAll => Ok(Input::StartAll),
            Change::StopAll => Ok(Input::StopAll),
            Change::RestartAll => Ok(Input::RestartAll),
        }
    }

    fn obey(&mut self, orders: Vec<Order>, on_ready: &mut Option<impl FnOnce()>) {
        let mut orders = VecDeque::from(orders);
        while let Some(order) = orders.pop_front() {
            match order {
                Order::Do(unit, Action::Spawn) => {
                    if let Err(error) = self.spawn(unit) {
                        let event = Event::NotSpawned(error.to_string());
                        let input = Input::Unit(unit, self.fleet.run(unit), event);
                        orders.extend(self.fleet.handle(input, moment()));
                    }
                }
                Order::Do(unit, Action::Terminate) => self.signal(unit, Signal::Terminate),
                Order::Do(unit, Action::Kill) => self.signal(unit, Signal::Kill),
                Order::Do(unit, Action::Report(cause)) => self.report(unit, cause),
                Order::AllReady => {
                    self.log_changes();
                    if let Some(on_ready) = on_ready.take() {
                        on_ready();
                    }
                }
                Order::GiveUp(unit, cause) => self.give_up(unit, cause),
            }
        }
        self.log_changes();
    }

    fn spawn(&mut self, unit: usize) -> std::io::Result<()> {
        let run = self.fleet.run(unit);
        let reporter = Reporter { unit, run, sender: self.handle.sender.clone() };
        let live = &mut self.live[unit];
        live.reset();
        let process = self.spawner.spawn(self.fleet.unit(unit))?;
        live.pid = Some(process.pid);
        live.started = Some(Instant::now());
        self.tasks.spawn(reporter.clone().watch(process, self.output.clone()));
        self.tasks.spawn(reporter.ask(live.probe.clone(), live.leave_off.clone()));
        Ok(())
    }

    fn signal(&self, unit: usize, signal: Signal) {
        let live = &self.live[unit];
        live.leave_off.cancel();
        if let Some(pid) = live.pid {
            self.spawner.signal(pid, signal);
        }
    }

    fn report(&mut self, unit: usize, cause: Cause) {
        let name = &self.fleet.unit(unit).name;
        let state = self.fleet.state(unit);
        let failures = state.failures();
        match state {
            State::Failed { until: None, .. } => {
                tracing::error!(unit = name, %cause, "unit failed, and another try cannot help");
            }
            State::Failed { .. } => {
                tracing::error!(unit = name, %cause, failures, "unit is in a crash loop");
            }
            State::Backoff { until, .. } => {
                let again_in = until.saturating_duration_since(Instant::now());
                tracing::warn!(unit = name, %cause, failures, ?again_in, "unit failed, will start again");
            }
            State::Stopped
            | State::Starting { .. }
            | State::Ready { .. }
            | State::Stopping { .. } => {
                tracing::warn!(unit = name, %cause, "unit failed");
            }
        }
        self.live[unit].last_failure = Some((cause, Instant::now()));
    }

    fn give_up(&mut self, unit: usize, cause: Cause) {
        let name = self.fleet.unit(unit).name.clone();
        let never = |&other: &usize| other != unit && self.fleet.run(other) == 0;
        let not_started = self.fleet.in_order().into_iter().filter(never);
        let not_started = not_started.map(|other| self.fleet.unit(other).name.clone()).collect();
        let lines = self.output.last(Some(&name), LAST_LINES);
        let last_lines = lines.into_iter().map(|line| line.text.to_string()).collect();
        self.failure.get_or_insert(StartFailed { unit: name, cause, not_started, last_lines });
    }

    fn log_changes(&mut self) {
        for unit in 0..self.fleet.len() {
            let shown = UnitStatus::word(self.fleet.state(unit));
            let live = &mut self.live[unit];
            if std::mem::replace(&mut live.shown, shown) == shown {
                continue;
            }
            let name = &self.fleet.unit(unit).name;
            match self.fleet.state(unit) {
                State::Starting { .. } => tracing::info!(unit = name, pid = live.pid, "starting"),
                State::Ready { .. } => {
                    let after = live.started.map(|started| started.elapsed());
                    tracing::info!(unit = name, ?after, "ready");
                }
                State::Stopping { .. } => tracing::info!(unit = name, "stopping"),
                State::Stopped => tracing::info!(unit = name, "stopped"),
                // What was reported says it.
                State::Backoff { .. } | State::Failed { .. } => {}
            }
        }
    }

    fn status(&mut self) -> Status {
        let now = Instant::now();
        let order = self.fleet.in_order();
        let units = order.into_iter().map(|unit| self.live[unit].status(&self.fleet, unit, now));
        Status { units: units.collect(), is_ready: self.fleet.is_ready() }
    }
}

fn moment() -> Moment {
    Moment { now: Instant::now(), chance: rand::random() }
}

#[cfg(test)]
mod tests;
