//! A directory of its own, the service run in it, and the server behind it.
//!
//! `ORLY_TEST_NEO4J=bolt://user:password@host:port` names the server; of several the first is used. It is erased, and
//! is one test's at a time.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use store_neo4j::{Neo4jStore, Options};
use tempfile::TempDir;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::service::{PATIENCE, Service};

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
static TURN: LazyLock<Arc<Mutex<()>>> = LazyLock::new(Arc::default);

/// A home directory that goes away, and a server that is nobody else's.
pub(crate) struct House {
    directory: TempDir,
    server: Options,
    _turn: Option<OwnedMutexGuard<()>>,
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
        Neo4jStore::new(server.clone(), vec![]).unwrap().erase().await.unwrap();
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
        command.envs(variables.iter().copied());
        Service::start(command)
    }
}

impl Service {
    /// Waits until its log has a text, and says how long that took.
    pub(crate) fn says(&self, text: &str) -> Duration {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "it does not say {text:?}:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        start.elapsed()
    }
}
