//! A directory of its own, and the service run in it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use event::{Draft, Event, Keys, Kind, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rpc::Address;
use tempfile::TempDir;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A home directory that goes away.
pub(crate) struct House(TempDir);

/// A service that runs. It is killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    /// Where it says it listens.
    pub(crate) address: Address,
    log: Arc<Mutex<String>>,
}

impl House {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The binary, with no variables but those that point here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orly-db-badger"));
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command.env("ORLY_DATA_DIR", self.path("data")).env("ORLY_DB_LISTEN", ":0");
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        self.command().envs(variables.iter().copied()).args(arguments).output().unwrap()
    }

    /// Starts it and waits until it listens.
    pub(crate) fn start(&self, variables: &[(&str, &str)]) -> Service {
        let mut command = self.command();
        command.envs(variables.iter().copied()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let address = loop {
            let Some(Ok(line)) = lines.next() else { panic!("it ended:\n{log}") };
            log.push_str(&line);
            log.push('\n');
            if let Some((_, rest)) = line.split_once("listening address=") {
                break rest.split(" data_dir=").next().unwrap().parse().unwrap();
            }
        };
        let log = Arc::new(Mutex::new(log));
        let rest = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                rest.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        Service { child, address, log }
    }
}

impl Service {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits for its end, and says how it ended and how long that took.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), start.elapsed());
            }
            assert!(start.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            std::thread::yield_now();
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
