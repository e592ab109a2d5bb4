//! The relay process: starting, answering, ending.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::house::{House, notes};

/// A relay on a free port.
pub(crate) struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    pub(crate) addr: String,
    /// What it logged before it listened.
    pub(crate) started: String,
}

impl Running {
    pub(crate) fn start(house: &House, variables: &[(&str, &str)]) -> Self {
        let mut command = house.command(&[]);
        command.envs(variables.iter().copied());
        Self::from(command)
    }

    /// Starts what becomes a relay.
    pub(crate) fn from(mut command: Command) -> Self {
        command.env("ORLY_PORT", "0").env("ORLY_LISTEN", "127.0.0.1").stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut started, mut line) = (String::new(), String::new());
        while !line.contains("listening") {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "the relay ended: {started}");
            started.push_str(&line);
        }
        let addr = line.split("addr=").nth(1).unwrap().split_whitespace().next().unwrap();
        Self { child, log, addr: addr.to_owned(), started }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Ends it by a signal; returns its exit code and what it logged since.
    pub(crate) fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After an end in order there is nobody.
        drop(self.child.kill());
    }
}

#[test]
fn sigterm_and_sigint_end_the_relay_in_order() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let house = House::new();
        let relay = Running::start(&house, &[]);
        assert!(relay.get("/healthz").starts_with("HTTP/1.1 200"));
        let (code, log) = relay.end(signal);
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
    }
}

#[test]
fn commands_work_beside_the_relay() {
    let house = House::new();
    let relay = Running::start(&house, &[]);
    house.import(&notes(10));
    assert_eq!(house.ids("{}").len(), 10);
    assert_eq!(house.run(&["delete", "--all"]).out, "10 events removed\n");
    assert_eq!(house.run(&["db", "check"]).code, Some(0));
    assert_eq!(relay.end(Signal::SIGTERM).0, Some(0));
}

#[test]
fn the_service_manager_is_told_of_start_and_end() {
    let house = House::new();
    let socket = UnixDatagram::bind(house.path("notify")).unwrap();
    let name = house.path("notify").display().to_string();
    let relay = Running::start(&house, &[("NOTIFY_SOCKET", &name), ("WATCHDOG_USEC", "1000000")]);
    let next = || {
        let mut buffer = [0; 64];
        let len = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    };
    let mut first = [next(), next()];
    first.sort_unstable();
    assert_eq!(first, ["READY=1", "WATCHDOG=1"]);
    relay.end(Signal::SIGTERM);
    while next() != "STOPPING=1" {}
}

#[test]
fn a_port_that_is_taken_is_named() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let answer = house.run_with(&[("ORLY_PORT", &port), ("ORLY_LISTEN", "127.0.0.1")], &[]);
    assert_eq!(answer.code, Some(1));
    let expected = format!(
        "listen on 127.0.0.1:{port} (ORLY_LISTEN, ORLY_PORT): Address already in use (os error 98); \
         stop what listens there or name another port\n"
    );
    assert!(answer.err.ends_with(&expected), "{answer:?}");
}

#[test]
fn the_log_is_json_and_says_what_has_no_effect() {
    let house = House::new();
    let variables =
        [("ORLY_LOG_FORMAT", "json"), ("ORLY_DB_BLOCK_CACHE_MB", "64"), ("ORLY_PROT", "1")];
    let mut command = house.command(&[]);
    command.env("ORLY_PORT", "0").envs(variables).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let log = BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    for line in log.lines().map(Result::unwrap) {
        let is_last = line.contains("listening");
        lines.push(line);
        if is_last {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.iter().all(|line| line.starts_with('{')), "{lines:?}");
    let has = |text: &str| lines.iter().any(|line| line.contains(text));
    assert!(has("ORLY_DB_BLOCK_CACHE_MB") && has("ORLY_PROT") && has("listening"), "{lines:?}");
}
