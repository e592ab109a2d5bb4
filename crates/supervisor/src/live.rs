//! What is known of a unit beside its state: its process, and what it said and took.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Cause, Event, Fleet, Health, Probe, State, UnitStatus, Usage};

/// Percentages over less time than this say little.
const SHORTEST_SAMPLE: Duration = Duration::from_millis(900);

/// A unit as it is now.
pub(crate) struct Live {
    pub(crate) probe: Arc<dyn Probe>,
    /// The word for its state that was last logged.
    pub(crate) shown: &'static str,
    pub(crate) pid: Option<u32>,
    pub(crate) started: Option<Instant>,
    pub(crate) last_failure: Option<(Cause, Instant)>,
    /// Ends the probes of this run.
    pub(crate) leave_off: CancellationToken,
    health: Option<Health>,
    sample: Option<(Instant, Duration)>,
    cpu_percent: Option<f64>,
}

impl Live {
    pub(crate) fn new(probe: Arc<dyn Probe>) -> Self {
        Self {
            probe,
            shown: State::Stopped.name(),
            pid: None,
            started: None,
            last_failure: None,
            leave_off: CancellationToken::new(),
            health: None,
            sample: None,
            cpu_percent: None,
        }
    }

    /// Forgets the process that was.
    pub(crate) fn reset(&mut self) {
        self.leave_off.cancel();
        self.leave_off = CancellationToken::new();
        (self.pid, self.health, self.sample, self.cpu_percent) = (None, None, None, None);
    }

    /// Keeps what its run says.
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::Probed(health) => self.health = Some(health.clone()),
            Event::Ended(_) => self.reset(),
            Event::Start | Event::Stop | Event::Restart | Event::NotSpawned(_) | Event::Tick => {}
        }
    }

    /// What there is to be seen of it; `number` is its place in the fleet.
    pub(crate) fn status(&mut self, fleet: &Fleet, number: usize, now: Instant) -> UnitStatus {
        let (unit, state) = (fleet.unit(number), fleet.state(number));
        let usage = self.pid.and_then(Usage::of);
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
            is_wanted: fleet.is_wanted(number),
            waits_for: fleet.waits_for(number).into_iter().map(str::to_owned).collect(),
            pid: self.pid,
            uptime: self.started.filter(|_| self.pid.is_some()).map(|started| now - started),
            restarts: fleet.run(number).saturating_sub(1),
            failures: state.failures(),
            retry_in: retry.map(|until| until.saturating_duration_since(now)),
            last_failure: self
                .last_failure
                .as_ref()
                .map(|(cause, at)| (cause.to_string(), now.saturating_duration_since(*at))),
            health: self.health.clone(),
            usage,
            cpu_percent: usage.and_then(|usage| self.cpu_percent(usage, now)),
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
