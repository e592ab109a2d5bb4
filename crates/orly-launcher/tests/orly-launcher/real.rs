//! The real services: they have to be built before, so these tests are asked for by name.
//!
//! `cargo build --workspace --bins && cargo test -p orly-launcher real -- --ignored --test-threads=1`

mod full_disk;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use event::{Draft, Event, EventId, Filter, Keys, Kind, Timestamp};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use parking_lot::Mutex;
use relay_client::{Connection, Options, PeerUrl};
use tokio::task::JoinHandle;

use crate::house::{House, UNITS, wait_for};

/// Kills of units one after the other.
const ROUNDS: usize = 200;
/// How long a unit is left alone, at most.
const PAUSE: u64 = 250;

impl House {
    /// Over the real services.
    fn real() -> Self {
        let mut house = Self::new();
        let directory = Path::new(env!("CARGO_BIN_EXE_orly-launcher")).parent().unwrap();
        for (variable, program) in [
            ("ORLY_LAUNCHER_DB_BINARY", "orly-db-badger"),
            ("ORLY_LAUNCHER_ACL_BINARY", "orly-acl"),
            ("ORLY_LAUNCHER_SYNC_NEGENTROPY_BINARY", "orly-sync-negentropy"),
            ("ORLY_LAUNCHER_RELAY_BINARY", "orly"),
        ] {
            let program = directory.join(program);
            assert!(
                program.exists(),
                "{} is not built: cargo build --workspace --bins",
                program.display()
            );
            house.set(variable, &program.display().to_string());
        }
        house.set("ORLY_ACL_MODE", "none");
        // Kills come faster than a unit could prove itself.
        house.set("ORLY_LAUNCHER_STABLE_AFTER", "0s");
        house
    }

    fn url(&self) -> PeerUrl {
        let port = self.variables.iter().find(|(name, _)| name == "ORLY_PORT").unwrap();
        format!("ws://127.0.0.1:{}", port.1).parse().unwrap()
    }
}

fn options() -> Options {
    let second = Duration::from_secs(1);
    Options { connect_timeout: second, timeout: 5 * second, ..Options::default() }
}

fn note(number: u64) -> Event {
    let draft = Draft {
        created_at: Timestamp::from_secs(1_700_000_000 + number),
        kind: Kind::new(1),
        tags: Vec::new(),
        content: format!("note {number}"),
    };
    Keys::from_secret([5; 32]).unwrap().sign(&draft)
}

/// Publishes events one by one over whatever connection can be had.
struct Publishing {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<Mutex<Vec<EventId>>>,
    task: JoinHandle<()>,
}

impl Publishing {
    fn start(url: PeerUrl) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(publish(url, stop.clone(), acknowledged.clone()));
        Self { stop, acknowledged, task }
    }

    /// The ids the relay acknowledged so far.
    fn acknowledged(&self) -> Vec<EventId> {
        self.acknowledged.lock().clone()
    }

    /// Waits until the relay acknowledges more.
    fn wait_for_more(&self) {
        let before = self.acknowledged.lock().len();
        wait_for("events to be stored", || {
            (self.acknowledged.lock().len() > before + 10).then_some(())
        });
    }

    /// Ends it; all ids that were acknowledged.
    async fn stop(self) -> Vec<EventId> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.acknowledged.lock().clone()
    }
}

async fn publish(url: PeerUrl, stop: Arc<AtomicBool>, acknowledged: Arc<Mutex<Vec<EventId>>>) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let Ok(connection) = Connection::open(&url, &options()).await else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let event = note(number);
            let Ok(verdict) = connection.publish(event.as_ref()).await else { break };
            match tokio::time::timeout(Duration::from_secs(5), verdict).await {
                Ok(Ok(verdict)) if verdict.accepted => {
                    acknowledged.lock().push(event.as_ref().id());
                }
                // Refused while the store is away.
                Ok(Ok(_)) => tokio::time::sleep(Duration::from_millis(5)).await,
                Ok(Err(_)) | Err(_) => break,
            }
        }
    }
}

/// Those of the ids that the relay does not have.
async fn missing(url: &PeerUrl, ids: &[EventId]) -> Vec<EventId> {
    let connection = Connection::open(url, &options()).await.unwrap();
    let mut missing = Vec::new();
    for chunk in ids.chunks(200) {
        let list: Vec<String> = chunk.iter().map(|id| format!("\"{id}\"")).collect();
        let filter = Filter::from_json(&format!("{{\"ids\":[{}]}}", list.join(","))).unwrap();
        let found = connection.query(&filter, chunk.len()).await.unwrap();
        let is_found = |id: &EventId| found.iter().any(|event| event.as_ref().id() == *id);
        missing.extend(chunk.iter().filter(|id| !is_found(id)));
    }
    missing
}

#[test]
#[ignore = "needs the real services; `.ci/run faults` builds them and runs it"]
fn all_services_are_ready_within_a_second_and_stop_within_three() {
    // The programs themselves may have to be read from the disk the first time.
    let best = (0..3).map(|_| ready_and_stopped_in()).min().unwrap();
    assert!(best.0 < Duration::from_secs(1), "{best:?}");
    assert!(best.1 < Duration::from_secs(3), "{best:?}");
}

/// How long all services take until they are ready on an empty store, and until they have stopped.
fn ready_and_stopped_in() -> (Duration, Duration) {
    let mut house = House::real();
    let begin = Instant::now();
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let ready = begin.elapsed();
    let begin = Instant::now();
    assert_eq!(house.stop().code, Some(0));
    (ready, begin.elapsed())
}

#[tokio::test]
#[ignore = "needs the real services; `.ci/run faults` builds them and runs it"]
async fn the_relay_serves_again_within_two_seconds_of_a_killed_store() {
    let mut house = House::real();
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let url = house.url();
    for number in 1..=5 {
        kill(house.pid_of("db"), Signal::SIGKILL).unwrap();
        let begin = Instant::now();
        let event = note(number);
        loop {
            if let Ok(connection) = Connection::open(&url, &options()).await
                && let Ok(verdict) = connection.publish(event.as_ref()).await
                && verdict.await.is_ok_and(|verdict| verdict.accepted)
                && missing(&url, &[event.as_ref().id()]).await.is_empty()
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let time = begin.elapsed();
        assert!(time < Duration::from_secs(2), "{time:?}");
    }
    assert_eq!(house.stop().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real services; `.ci/run faults` builds them and runs it"]
async fn random_kills_lose_nothing_that_was_acknowledged() {
    let mut house = House::real();
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let publishing = Publishing::start(house.url());
    let mut killed = HashSet::new();
    for _ in 0..ROUNDS {
        std::thread::sleep(Duration::from_millis(rand::random_range(0..PAUSE)));
        let (name, _) = UNITS[rand::random_range(0..UNITS.len())];
        // It may be starting again, and so have no process.
        let pid = house.pid_of(name);
        if pid.as_raw() > 0 {
            let _ended: Result<(), Errno> = kill(pid, Signal::SIGKILL);
            killed.insert(i64::from(pid.as_raw()));
        }
    }
    // Until the launcher hears of the last kill, it says ready of a process that is no more.
    house.wait_until("all is ready again", |status| {
        let is_killed =
            |(name, _)| killed.contains(&House::unit(status, name)["pid"].as_i64().unwrap());
        status["ready"] == true && !UNITS.into_iter().any(is_killed)
    });
    let acknowledged = publishing.stop().await;
    assert!(acknowledged.len() > ROUNDS, "{} events", acknowledged.len());
    let lost = missing(&house.url(), &acknowledged).await;
    assert!(lost.is_empty(), "{} of {} events are lost", lost.len(), acknowledged.len());
    let ended = house.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
}
