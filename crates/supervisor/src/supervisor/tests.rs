use std::collections::HashMap;
use std::io;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::io::AsyncRead;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::*;
use crate::fleet::tests::unit;
use crate::{Ending, Health, Line, Process};

/// Processes that do as the test says, and a journal of what was done to them.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    journal: Vec<String>,
    names: Vec<String>,
    ends: HashMap<u32, oneshot::Sender<Ending>>,
    health: HashMap<String, Health>,
    stubborn: Vec<String>,
    missing: Vec<String>,
    writes: HashMap<String, String>,
}

impl Script {
    fn set(&self, name: &str, health: Health) {
        self.0.lock().health.insert(name.into(), health);
    }

    fn end(&self, name: &str, ending: Ending) {
        let mut inner = self.0.lock();
        let pid = inner.names.iter().rposition(|other| other == name).unwrap();
        inner.end(pid, ending);
    }

    fn journal(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().journal)
    }
}

impl Inner {
    fn end(&mut self, pid: usize, ending: Ending) {
        let pid = u32::try_from(pid).unwrap();
        self.ends.remove(&pid).unwrap().send(ending).unwrap();
    }
}

impl Spawner for Script {
    fn spawn(&self, unit: &Unit) -> io::Result<Process> {
        let mut inner = self.0.lock();
        let name = unit.name.clone();
        inner.journal.push(format!("start {name}"));
        if inner.missing.contains(&name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inner.names.push(name.clone());
        let pid = u32::try_from(inner.names.len() - 1).unwrap();
        let (sender, receiver) = oneshot::channel();
        inner.ends.insert(pid, sender);
        let written = inner.writes.get(&name).cloned().unwrap_or_default();
        let pipe: Box<dyn AsyncRead + Send + Unpin> = Box::new(io::Cursor::new(written));
        let ending = Box::pin(async { receiver.await.unwrap() });
        Ok(Process { pid, output: vec![pipe], ending })
    }

    fn signal(&self, pid: u32, signal: Signal) {
        let mut inner = self.0.lock();
        let name = inner.names[pid as usize].clone();
        inner.journal.push(format!("{signal:?} {name}").to_lowercase());
        match signal {
            Signal::Terminate if inner.stubborn.contains(&name) => {}
            Signal::Terminate => inner.end(pid as usize, Ending::Code(0)),
            Signal::Kill => inner.end(pid as usize, Ending::Signal(9)),
            Signal::Hangup => {}
        }
    }
}

struct Scripted(Script, String);

#[async_trait]
impl Probe for Scripted {
    async fn probe(&self) -> Health {
        let health = self.0.0.lock().health.get(&self.1).cloned();
        match health.unwrap_or(Health::Serving) {
            Health::Silent(reason) if reason == "hangs" => std::future::pending().await,
            health => health,
        }
    }
}

struct Nowhere;

#[async_trait]
impl Sink for Nowhere {
    async fn take(&self, _: &Line) {}
}

struct House {
    script: Script,
    handle: Handle,
    shutdown: CancellationToken,
    ready: CancellationToken,
    ended: tokio::task::JoinHandle<Result<(), StartFailed>>,
}

impl House {
    fn open(script: &Script) -> Self {
        let units = vec![
            unit("relay", &["db"], &["sync"]),
            unit("sync", &["db"], &[]),
            unit("db", &[], &[]),
        ];
        let probe = |unit: Unit| {
            let probe = Scripted(script.clone(), unit.name.clone());
            (unit, Arc::new(probe) as Arc<dyn Probe>)
        };
        let units = units.into_iter().map(probe).collect();
        let supervisor =
            Supervisor::new(units, Arc::new(script.clone()), Arc::new(Nowhere)).unwrap();
        let handle = supervisor.handle();
        let (shutdown, ready) = (CancellationToken::new(), CancellationToken::new());
        let (stop, tell) = (shutdown.clone(), ready.clone());
        let ended = tokio::spawn(async move { supervisor.run(stop, || tell.cancel()).await });
        Self { script: script.clone(), handle, shutdown, ready, ended }
    }

    async fn ready(script: &Script) -> Self {
        let house = Self::open(script);
        house.ready.cancelled().await;
        house.script.journal();
        house
    }

    async fn close(self) -> Result<(), StartFailed> {
        self.shutdown.cancel();
        self.ended.await.unwrap()
    }

    async fn state(&self, name: &str) -> UnitStatus {
        let status = self.handle.status().await.unwrap();
        status.units.into_iter().find(|unit| unit.name == name).unwrap()
    }

    async fn wait_for(&self, name: &str, state: &str) -> UnitStatus {
        for _ in 0..10_000 {
            let unit = self.state(name).await;
            if unit.state == state {
                return unit;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{name} does not become {state}: {:?}", self.state(name).await);
    }
}

#[tokio::test(start_paused = true)]
async fn all_come_up_in_order_and_go_down_the_other_way() {
    let script = Script::default();
    let begin = Instant::now();
    let house = House::open(&script);
    house.ready.cancelled().await;
    assert!(begin.elapsed() < Duration::from_millis(100), "{:?}", begin.elapsed());
    assert_eq!(script.journal(), ["start db", "start sync", "start relay"]);
    house.close().await.unwrap();
    assert_eq!(script.journal(), ["terminate relay", "terminate sync", "terminate db"]);
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_is_killed_is_back_at_once() {
    let script = Script::default();
    let house = House::ready(&script).await;
    for _ in 0..3 {
        let begin = Instant::now();
        script.end("db", Ending::Signal(9));
        house.wait_for("db", "backoff").await;
        let unit = house.wait_for("db", "ready").await;
        assert!(begin.elapsed() < Duration::from_secs(1), "{:?}", begin.elapsed());
        assert_eq!(unit.last_failure.unwrap().0, "was ended by SIGKILL");
    }
    assert_eq!(house.state("db").await.restarts, 3);
    assert_eq!(script.journal(), ["start db"; 3]);
    house.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_never_gets_ready_stops_the_start_and_says_why() {
    let script = Script::default();
    script.set("sync", Health::Unready("waits for a peer".into()));
    let house = House::open(&script);
    let begin = Instant::now();
    let error = house.ended.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unit sync: not ready after 30s (waits for a peer); not started: relay"
    );
    assert_eq!(begin.elapsed().as_secs(), 30);
    let stopped = ["start db", "start sync", "terminate sync", "terminate db"];
    assert_eq!(script.journal(), stopped);
}

#[tokio::test(start_paused = true)]
async fn who_falls_at_the_first_start_is_named_with_its_last_lines() {
    let script = Script::default();
    script.set("db", Health::Silent("refused".into()));
    script.0.lock().writes.insert("db".into(), "opening\nno space left\n".into());
    let house = House::open(&script);
    for _ in 0..3 {
        house.wait_for("db", "starting").await;
        // What it wrote has to be read before it is told.
        sleep(Duration::from_millis(50)).await;
        script.end("db", Ending::Code(1));
        sleep(Duration::from_millis(20)).await;
    }
    let error = house.ended.await.unwrap().unwrap_err();
    let expected = "unit db: exited with code 1; not started: sync, relay\nits last output:\n  \
                    opening\n  no space left\n  opening\n  no space left\n  opening\n  no space left";
    assert_eq!((error.to_string().as_str(), error.code()), (expected, Some(1)));
}

#[tokio::test(start_paused = true)]
async fn a_missing_program_is_named() {
    let script = Script::default();
    script.0.lock().missing.push("sync".into());
    let error = House::open(&script).ended.await.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unit sync: cannot be started: entity not found; not started: relay"
    );
}

#[tokio::test(start_paused = true)]
async fn who_ignores_the_request_to_stop_is_killed_and_the_rest_waits() {
    let script = Script::default();
    script.0.lock().stubborn.push("sync".into());
    let house = House::ready(&script).await;
    let begin = Instant::now();
    house.close().await.unwrap();
    assert_eq!(begin.elapsed(), Duration::from_secs(5));
    let expected = ["terminate relay", "terminate sync", "kill sync", "terminate db"];
    assert_eq!(script.journal(), expected);
}

#[tokio::test(start_paused = true)]
async fn who_hangs_is_started_again_and_who_is_unready_is_left_alone() {
    let script = Script::default();
    let house = House::ready(&script).await;
    script.set("relay", Health::Unready("no store".into()));
    script.set("sync", Health::Silent("hangs".into()));
    let unit = house.wait_for("sync", "starting").await;
    assert_eq!(unit.last_failure.unwrap().0, "runs and does not answer (no answer within 5s)");
    script.set("sync", Health::Serving);
    house.wait_for("sync", "ready").await;
    assert_eq!(house.state("relay").await.health, Some(Health::Unready("no store".into())));
    assert_eq!(script.journal(), ["terminate sync", "start sync"]);
    house.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_the_start_starts_nothing_more() {
    let script = Script::default();
    script.set("db", Health::Silent("refused".into()));
    let house = House::open(&script);
    house.wait_for("db", "starting").await;
    house.close().await.unwrap();
    assert_eq!(script.journal(), ["start db", "terminate db"]);
}

#[tokio::test(start_paused = true)]
async fn units_are_stopped_started_and_restarted_by_name() {
    let script = Script::default();
    let house = House::ready(&script).await;
    house.handle.stop("relay").await.unwrap();
    house.wait_for("relay", "stopped").await;
    house.handle.start("relay").await.unwrap();
    house.wait_for("relay", "ready").await;
    house.handle.restart("db").await.unwrap();
    house.wait_for("db", "ready").await;
    let expected = ["terminate relay", "start relay", "terminate db", "start db"];
    assert_eq!(script.journal(), expected);
    assert_eq!(
        house.handle.stop("rely").await.unwrap_err().to_string(),
        "no unit is called \"rely\": there are relay, sync, db"
    );
    house.handle.stop_all().await.unwrap();
    house.wait_for("db", "stopped").await;
    assert!(matches!(house.handle.stop_all().await, Err(Refused::Already(_))));
    house.handle.start_all().await.unwrap();
    house.wait_for("relay", "ready").await;
    let handle = house.handle.clone();
    house.close().await.unwrap();
    assert_eq!(handle.start("db").await, Err(Refused::Gone));
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_is_seen_with_its_last_lines_and_left_by_a_start() {
    let script = Script::default();
    let house = House::ready(&script).await;
    script.0.lock().writes.insert("relay".into(), "disk full\n".into());
    script.set("relay", Health::Silent("refused".into()));
    for _ in 0..9 {
        script.end("relay", Ending::Code(1));
        house.wait_for("relay", "backoff").await;
        house.wait_for("relay", "starting").await;
    }
    script.end("relay", Ending::Code(1));
    let unit = house.wait_for("relay", "failed").await;
    assert_eq!(unit.failures, 10);
    assert!(unit.retry_in.is_some_and(|left| left > Duration::from_secs(55)));
    assert_eq!(&*house.handle.output().last(Some("relay"), 1)[0].text, "disk full");
    script.set("relay", Health::Serving);
    house.handle.start("relay").await.unwrap();
    house.wait_for("relay", "ready").await;
    house.close().await.unwrap();
}
