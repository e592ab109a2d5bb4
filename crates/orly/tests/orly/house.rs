//! A directory of its own, and the binary run in it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use event::{Draft, Event, Keys, Kind, Timestamp};
use tempfile::TempDir;

/// A home directory that goes away.
pub(crate) struct House(TempDir);

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl House {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The binary, with no variables but those that point here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orly"));
        command.args(arguments).env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        answer(self.command(arguments).output().unwrap())
    }

    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Answer {
        let mut command = self.command(arguments);
        answer(command.envs(variables.iter().copied()).output().unwrap())
    }

    pub(crate) fn run_on_input(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        answer(child.wait_with_output().unwrap())
    }

    /// Writes a file and returns its name.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        name.to_owned()
    }

    /// Imports events that must all be good.
    pub(crate) fn import(&self, events: &[Event]) {
        self.file("given.jsonl", jsonl(events).as_bytes());
        let answer = self.run(&["import", "given.jsonl"]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
    }

    /// The ids of the events a filter finds, in order.
    pub(crate) fn ids(&self, filter: &str) -> Vec<String> {
        let answer = self.run(&["query", filter]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        ids(&answer.out)
    }
}

fn answer(output: Output) -> Answer {
    Answer {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Signed notes, a second apart, the first at 1 700 000 000.
pub(crate) fn notes(count: u64) -> Vec<Event> {
    (0..count).map(|at| note(1, 1_700_000_000 + at, &format!("note {at}"))).collect()
}

pub(crate) fn note(kind: u16, created_at: u64, content: &str) -> Event {
    let keys = Keys::from_secret([7; 32]).unwrap();
    let created_at = Timestamp::from_secs(created_at);
    let draft = Draft { created_at, kind: Kind::new(kind), tags: vec![], content: content.into() };
    keys.sign(&draft)
}

pub(crate) fn jsonl(events: &[Event]) -> String {
    events.iter().map(|event| event.as_ref().to_json() + "\n").collect()
}

pub(crate) fn id_list(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.as_ref().id().to_string()).collect()
}

/// The ids of events in JSONL.
pub(crate) fn ids(text: &str) -> Vec<String> {
    text.lines().map(|line| Event::from_json(line).unwrap().as_ref().id().to_string()).collect()
}

/// Real events, if they are at hand.
pub(crate) fn real_events() -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/real-events.jsonl");
    let events = std::fs::read(&path).ok();
    if events.is_none() {
        println!("skipped: {} is not there", path.display());
    }
    events
}
