//! What is shown of the appliance: by the commands, over HTTP, on the page.

use std::path::PathBuf;
use std::time::Duration;

use event::Timestamp;
use serde::{Deserialize, Serialize};
use supervisor::{Gone, Handle, Health, UnitStatus};
use tokio::time::Instant;

use crate::clock::{rfc3339, rough};
use crate::disk::Disk;
use crate::health::address;
use crate::units::Part;
use crate::versions::Versions;

/// How many of a unit's last lines are shown.
const LAST_LINES: usize = 12;

/// The appliance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) version: String,
    pub(crate) uptime: String,
    pub(crate) uptime_seconds: u64,
    pub(crate) services_running: bool,
    pub(crate) ready: bool,
    /// Where the event store is.
    #[serde(default)]
    pub(crate) disk: Option<Disk>,
    pub(crate) processes: Vec<Process>,
}

/// A unit. The first ten fields are those of the original.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) binary: String,
    pub(crate) version: String,
    /// running, stopped or disabled.
    pub(crate) status: String,
    pub(crate) enabled: bool,
    pub(crate) category: String,
    pub(crate) description: String,
    pub(crate) pid: u32,
    pub(crate) restarts: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) started_at: Option<String>,
    /// stopped, starting, ready, stopping, restarting, backoff, failed or disabled.
    pub(crate) state: String,
    pub(crate) wanted: bool,
    pub(crate) priority: u16,
    pub(crate) address: String,
    pub(crate) waits_for: Vec<String>,
    /// What it said when it was last asked; empty if it serves.
    pub(crate) readiness: String,
    pub(crate) failures: u32,
    pub(crate) last_failure: Option<String>,
    pub(crate) last_failure_seconds: Option<u64>,
    pub(crate) retry_seconds: Option<u64>,
    pub(crate) uptime_seconds: Option<u64>,
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) cpu_percent: Option<f64>,
    pub(crate) last_output: Vec<String>,
    pub(crate) aliases: Vec<String>,
}

/// Makes views.
pub(crate) struct Views {
    pub(crate) handle: Handle,
    pub(crate) parts: Vec<Part>,
    pub(crate) data_dir: PathBuf,
    pub(crate) started: Instant,
    pub(crate) versions: Versions,
}

impl Views {
    /// What there is to be seen now.
    pub(crate) async fn look(&self) -> Result<View, Gone> {
        let status = self.handle.status().await?;
        let uptime = self.started.elapsed();
        let process = |part: &Part| {
            let unit = status.units.iter().find(|unit| unit.name == part.name);
            self.process(part, unit)
        };
        Ok(View {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime: rough(uptime),
            uptime_seconds: uptime.as_secs(),
            services_running: status.units.iter().any(|unit| unit.is_wanted),
            ready: status.is_ready,
            disk: Disk::of(&self.data_dir),
            processes: self.parts.iter().map(process).collect(),
        })
    }

    /// The unit that is meant: by its name, or by another one it has.
    pub(crate) fn unit(&self, name: &str) -> String {
        let is_meant = |part: &&Part| part.name == name || part.aliases.contains(&name);
        self.parts.iter().find(is_meant).map_or(name, |part| part.name).to_owned()
    }

    fn process(&self, part: &Part, unit: Option<&UnitStatus>) -> Process {
        let process = Process {
            name: part.name.into(),
            category: part.category.into(),
            description: part.description.into(),
            address: address(&part.address),
            aliases: part.aliases.iter().map(|&alias| alias.to_owned()).collect(),
            status: "disabled".into(),
            state: "disabled".into(),
            ..Process::default()
        };
        let (Some(unit), Some(program)) = (unit, &part.unit) else { return process };
        let lines = self.handle.output().last(Some(part.name), LAST_LINES);
        let now = Timestamp::now().as_secs();
        Process {
            binary: program.program.display().to_string(),
            version: self.versions.known(&program.program).unwrap_or_default(),
            status: if unit.pid.is_some() { "running" } else { "stopped" }.into(),
            enabled: true,
            pid: unit.pid.unwrap_or_default(),
            restarts: unit.restarts,
            started_at: unit.uptime.map(|uptime| rfc3339(now.saturating_sub(uptime.as_secs()))),
            state: unit.state.into(),
            wanted: unit.is_wanted,
            priority: unit.priority,
            waits_for: unit.waits_for.clone(),
            readiness: readiness(unit),
            failures: unit.failures,
            last_failure: unit.last_failure.as_ref().map(|(cause, _)| cause.clone()),
            last_failure_seconds: unit.last_failure.as_ref().map(|(_, ago)| ago.as_secs()),
            retry_seconds: unit.retry_in.map(|left| left.as_secs()),
            uptime_seconds: unit.uptime.map(|uptime| uptime.as_secs()),
            memory_bytes: unit.usage.map(|usage| usage.memory),
            cpu_percent: unit.cpu_percent.map(|percent| (percent * 10.0).round() / 10.0),
            last_output: lines.into_iter().map(|line| line.text.to_string()).collect(),
            ..process
        }
    }
}

fn readiness(unit: &UnitStatus) -> String {
    match &unit.health {
        Some(Health::Unready(reason) | Health::Silent(reason)) => reason.clone(),
        Some(Health::Serving) | None => String::new(),
    }
}

impl Process {
    /// Whether this is one of its names.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.iter().any(|alias| alias == name)
    }

    /// The most important thing to know about it.
    pub(crate) fn note(&self) -> String {
        let failure = || self.last_failure.clone().unwrap_or_default();
        let seconds =
            |seconds: Option<u64>| rough(Duration::from_secs(seconds.unwrap_or_default()));
        match self.state.as_str() {
            "backoff" => format!("{}; again in {}", failure(), seconds(self.retry_seconds)),
            "failed" if self.retry_seconds.is_some() => format!(
                "crash loop: {}; {} failures, again in {}",
                failure(),
                self.failures,
                seconds(self.retry_seconds)
            ),
            "failed" => format!("{}; another try cannot help", failure()),
            "stopped" if self.wanted && !self.waits_for.is_empty() => {
                format!("waits for {}", self.waits_for.join(", "))
            }
            "ready" | "starting" if !self.readiness.is_empty() => self.readiness.clone(),
            "ready" if self.restarts > 0 && self.last_failure.is_some() => {
                format!("{} {} ago", failure(), seconds(self.last_failure_seconds))
            }
            _ => String::new(),
        }
    }
}
