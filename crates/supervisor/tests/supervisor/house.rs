//! Shell scripts as units, run for real.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use supervisor::{
    Handle, Health, Line, OsSpawner, Probe, RestartPolicy, Sink, StartFailed, Supervisor, Unit,
    UnitStatus,
};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longer than anything here may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// A unit that runs a script, and is ready when it wrote `ready`.
pub(crate) fn script(name: &str, needs: &[&str], script: &str) -> Unit {
    Unit {
        name: name.into(),
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: Vec::new(),
        needs: needs.iter().map(|name| (*name).to_owned()).collect(),
        after: Vec::new(),
        priority: 10,
        ready_timeout: Duration::from_secs(10),
        stop_timeout: Duration::from_secs(10),
        restart: RestartPolicy { min_delay: Duration::from_millis(10), ..RestartPolicy::default() },
    }
}

/// Ready once the unit's last run wrote so.
struct Wrote(Arc<std::sync::Mutex<Option<Handle>>>, String);

#[async_trait]
impl Probe for Wrote {
    async fn probe(&self) -> Health {
        let handle = self.0.lock().unwrap().clone().unwrap();
        let lines = handle.output().last(Some(&self.1), usize::MAX);
        match lines.iter().any(|line| line.text.contains("ready")) {
            true => Health::Serving,
            false => Health::Silent("has not written ready".into()),
        }
    }
}

struct Nowhere;

#[async_trait]
impl Sink for Nowhere {
    async fn take(&self, _: &Line) {}
}

pub(crate) struct House {
    pub(crate) handle: Handle,
    pub(crate) shutdown: CancellationToken,
    pub(crate) ended: JoinHandle<Result<(), StartFailed>>,
}

impl House {
    pub(crate) fn open(units: Vec<Unit>) -> Self {
        let slot = Arc::new(std::sync::Mutex::new(None));
        let probe = |unit: Unit| {
            let probe: Arc<dyn Probe> = Arc::new(Wrote(slot.clone(), unit.name.clone()));
            (unit, probe)
        };
        let units = units.into_iter().map(probe).collect();
        let supervisor =
            Supervisor::new(units, Arc::new(OsSpawner::new()), Arc::new(Nowhere)).unwrap();
        let handle = supervisor.handle();
        *slot.lock().unwrap() = Some(handle.clone());
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let ended = tokio::spawn(async move { supervisor.run(stop, || {}).await });
        Self { handle, shutdown, ended }
    }

    pub(crate) async fn wait_for(
        &self,
        name: &str,
        what: impl Fn(&UnitStatus) -> bool,
    ) -> UnitStatus {
        let wait = async {
            loop {
                let status = self.handle.status().await.unwrap();
                if let Some(unit) = status.units.into_iter().find(|unit| unit.name == name)
                    && what(&unit)
                {
                    return unit;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(DEADLINE, wait).await.unwrap()
    }

    pub(crate) async fn ready(&self, name: &str) -> u32 {
        let unit = self.wait_for(name, |unit| unit.state == "ready").await;
        unit.pid.unwrap()
    }

    pub(crate) async fn close(self) -> Result<(), StartFailed> {
        self.shutdown.cancel();
        timeout(DEADLINE, self.ended).await.unwrap().unwrap()
    }

    /// The last line of a unit that begins so, without the beginning.
    pub(crate) fn line(&self, unit: &str, begin: &str) -> String {
        let lines = self.handle.output().last(Some(unit), usize::MAX);
        let found = lines.iter().rev().find_map(|line| line.text.strip_prefix(begin));
        found.unwrap().to_owned()
    }
}

/// Waits until a process has ended; a zombie has.
pub(crate) async fn ended(pid: u32) {
    let is_alive = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
    };
    let wait = async {
        while is_alive() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE, wait).await.unwrap();
}
