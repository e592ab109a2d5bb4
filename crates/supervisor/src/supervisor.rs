//! Does what [`Fleet`] decides.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::handle::{Change, Message};
use crate::run::Reporter;
use crate::{
    Action, Cause, Ending, Event, Fleet, Handle, Health, Input, InvalidOrder, Moment, Order,
    Output, Probe, Refused, Signal, Sink, Spawner, State, Status, Unit, UnitStatus, Usage,
};

/// Messages that may wait.
const INBOX: usize = 256;
/// When there is nothing to wait for.
const LONG: Duration = Duration::from_secs(3600);
/// How much of its output is told when a unit cannot be started.
const LAST_LINES: usize = 10;
/// Percentages over less time than this say little.
const SHORTEST_SAMPLE: Duration = Duration::from_millis(900);

/// A unit kept all from starting.
#[derive(Clone, Debug)]
pub struct StartFailed {
    /// The unit.
    pub unit: String,
    /// Why.
    pub cause: Cause,
    /// Units that were not started because of it.
    pub not_started: Vec<String>,
    /// What it last wrote.
    pub last_lines: Vec<String>,
}

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

/// What is known of a unit beside its state.
struct Live {
    probe: Arc<dyn Probe>,
    shown: &'static str,
    pid: Option<u32>,
    started: Option<Instant>,
    health: Option<Health>,
    last_failure: Option<(Cause, Instant)>,
    leave_off: CancellationToken,
    sample: Option<(Instant, Duration)>,
    cpu_percent: Option<f64>,
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
        let order = self.fleet.in_order();
        let units = order.into_iter().map(|unit| self.unit_status(unit)).collect();
        Status { units, is_ready: self.fleet.is_ready() }
    }

    fn unit_status(&mut self, number: usize) -> UnitStatus {
        let now = Instant::now();
        let (unit, state) = (self.fleet.unit(number), self.fleet.state(number));
        let live = &mut self.live[number];
        let usage = live.pid.and_then(Usage::of);
        let retry = match state {
            State::Backoff { until, .. } => Some(*until),
            State::Failed { until, .. } => *until,
            State::Stopped
            | State::Starting { .. }
            | State::Ready { .. }
            | State::Stopping { .. } => None,
        };
        UnitStatus {
            name: unit.name.clone(),
            priority: unit.priority,
            state: UnitStatus::word(state),
            is_wanted: self.fleet.is_wanted(number),
            waits_for: self.fleet.waits_for(number).into_iter().map(str::to_owned).collect(),
            pid: live.pid,
            uptime: live.started.filter(|_| live.pid.is_some()).map(|started| now - started),
            restarts: self.fleet.run(number).saturating_sub(1),
            failures: state.failures(),
            retry_in: retry.map(|until| until.saturating_duration_since(now)),
            last_failure: live
                .last_failure
                .as_ref()
                .map(|(cause, at)| (cause.to_string(), now.saturating_duration_since(*at))),
            health: live.health.clone(),
            usage,
            cpu_percent: usage.and_then(|usage| live.cpu_percent(usage, now)),
        }
    }
}

impl Live {
    fn new(probe: Arc<dyn Probe>) -> Self {
        Self {
            probe,
            shown: State::Stopped.name(),
            pid: None,
            started: None,
            health: None,
            last_failure: None,
            leave_off: CancellationToken::new(),
            sample: None,
            cpu_percent: None,
        }
    }

    fn reset(&mut self) {
        self.leave_off.cancel();
        self.leave_off = CancellationToken::new();
        (self.pid, self.health, self.sample, self.cpu_percent) = (None, None, None, None);
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::Probed(health) => self.health = Some(health.clone()),
            Event::Ended(_) => self.reset(),
            Event::Start | Event::Stop | Event::Restart | Event::NotSpawned(_) | Event::Tick => {}
        }
    }

    /// Over the time since it was last asked for; at first, since the start.
    fn cpu_percent(&mut self, usage: Usage, now: Instant) -> Option<f64> {
        let (then, cpu) = self.sample.or(self.started.map(|started| (started, Duration::ZERO)))?;
        let time = now.saturating_duration_since(then);
        if time >= SHORTEST_SAMPLE {
            let part = usage.cpu.saturating_sub(cpu).as_secs_f64() / time.as_secs_f64();
            self.sample = Some((now, usage.cpu));
            self.cpu_percent = Some(part * 100.0);
        }
        self.cpu_percent
    }
}

impl StartFailed {
    /// The exit code of the unit's process.
    pub fn code(&self) -> Option<i32> {
        match self.cause {
            Cause::Ended(Ending::Code(code)) => Some(code),
            _ => None,
        }
    }
}

impl std::error::Error for StartFailed {}

impl fmt::Display for StartFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unit {}: {}", self.unit, self.cause)?;
        if !self.not_started.is_empty() {
            write!(f, "; not started: {}", self.not_started.join(", "))?;
        }
        if !self.last_lines.is_empty() {
            write!(f, "\nits last output:")?;
        }
        self.last_lines.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

fn moment() -> Moment {
    Moment { now: Instant::now(), chance: rand::random() }
}

#[cfg(test)]
mod tests;
