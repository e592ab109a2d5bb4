//! A directory of its own, the service run in it, and the server behind it.
//!
//! `ORLY_TEST_NEO4J=bolt://user:password@host:port` names the server; of several the first is used. It is erased, and
//! is one test's at a time.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use event::{Draft, Event, Keys, Kind, Timestamp};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rpc::Address;
use store_neo4j::{Neo4jStore, Options};
use tempfile::TempDir;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

static SERVER: LazyLock<Option<Options>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let list = std::env::var("ORLY_TEST_NEO4J").unwrap_or_default();
    let Some(text) = list.split(',').find(|text| !text.is_empty()) else {
        let text = "skipped: ORLY_TEST_NEO4J names no server (bolt://user:password@host:port)";
        // Not captured: who runs tests is to see it.
        drop(writeln!(std::io::stderr(), "{text}"));
        return None;
    };
    let form = "ORLY_TEST_NEO4J: expected bolt://user:password@host:port";
    let (scheme, rest) = text.split_once("://").expect(form);
    let (credentials, address) = rest.rsplit_once('@').expect(form);
    let (user, password) = credentials.split_once(':').expect(form);
    Some(Options::new(format!("{scheme}://{address}"), user, password))
});
static TURN: LazyLock<Arc<AsyncMutex<()>>> = LazyLock::new(Arc::default);

/// A home directory that goes away, and a server that is nobody else's.
pub(crate) struct House {
    directory: TempDir,
    server: Options,
    _turn: Option<OwnedMutexGuard<()>>,
}

/// A service that runs. It is killed when it is dropped.
pub(crate) struct Service {
    child: Child,
    /// Where it says it listens.
    pub(crate) address: Address,
    log: Arc<Mutex<String>>,
}

/// Whether there is a server; if not, tests say so.
pub(crate) fn is_there() -> bool {
    SERVER.is_some()
}

impl House {
    /// Waits for the server, and erases it.
    pub(crate) async fn new() -> Self {
        let server = SERVER.clone().unwrap();
        let turn = Arc::clone(&TURN).lock_owned().await;
        Neo4jStore::new(server.clone(), None).unwrap().erase().await.unwrap();
        Self { directory: TempDir::new().unwrap(), server, _turn: Some(turn) }
    }

    /// A house in front of a server that may not be there.
    pub(crate) fn before(uri: &str, user: &str, password: &str) -> Self {
        let server = Options::new(uri, user, password);
        Self { directory: TempDir::new().unwrap(), server, _turn: None }
    }

    /// Where the server is.
    pub(crate) fn uri(&self) -> &str {
        &self.server.uri
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The binary, with no variables but those that point here.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orly-db-neo4j"));
        command.env_clear().env("HOME", self.directory.path()).current_dir(self.directory.path());
        command.env("ORLY_DATA_DIR", self.path("data")).env("ORLY_DB_LISTEN", ":0");
        command.env("ORLY_NEO4J_URI", &self.server.uri).env("ORLY_NEO4J_USER", &self.server.user);
        command.env("ORLY_NEO4J_PASSWORD", &self.server.password);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        self.command().envs(variables.iter().copied()).args(arguments).output().unwrap()
    }

    /// Starts it and waits until it is ready.
    pub(crate) fn start(&self, variables: &[(&str, &str)]) -> Service {
        let service = self.begin(variables);
        service.says(" ready ");
        service
    }

    /// Starts it and waits until it listens.
    pub(crate) fn begin(&self, variables: &[(&str, &str)]) -> Service {
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
                break rest.split(" neo4j=").next().unwrap().parse().unwrap();
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

    /// Waits until its log has a text, and says how long that took.
    pub(crate) fn says(&self, text: &str) -> Duration {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "it does not say {text:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        start.elapsed()
    }

    /// Waits for its end, and says how it ended and how long that took.
    pub(crate) fn wait(&mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), start.elapsed());
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
