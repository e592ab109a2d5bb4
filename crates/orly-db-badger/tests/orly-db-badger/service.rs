//! A database service that runs, whatever its engine: `orly-db-neo4j` is tried with the same.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use event::{Draft, Event, Keys, Kind, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rpc::Address;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service that runs. It is killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    /// Where it says it listens.
    pub(crate) address: Address,
    log: Arc<Mutex<String>>,
    /// Reads the log until it ends.
    reading: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts it and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it ended:\n{log}") };
            log.push_str(&line);
            log.push('\n');
            if let Some((_, rest)) = line.split_once("listening address=") {
                break rest.split(' ').next().unwrap().parse().unwrap();
            }
        };
        let log = Arc::new(Mutex::new(log));
        let rest = Arc::clone(&log);
        let reading = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Self { child, address, log, reading: Some(reading) }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for its end, and says how it ended and how long that took. The log is whole then.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let took = start.elapsed();
                self.reading.take().map(JoinHandle::join).transpose().unwrap();
                return (status.code(), took);
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A signed note.
pub(crate) fn note(number: u64) -> Event {
    let created_at = Timestamp::from_secs(1_700_000_000 + number);
    let content = format!("note {number}");
    let draft = Draft { created_at, kind: Kind::new(1), tags: vec![], content };
    Keys::from_secret([7; 32]).unwrap().sign(&draft)
}
