//! The binary in a directory of its own, and a relay that asks it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use relay_client::PeerUrl;
use relay_sync::Reconciler;
use rpc::{Address, RemoteReconciler};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How long something may take to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that is gone when the test is; in memory if the system offers that.
pub(crate) struct House(TempDir);

/// The service, killed when dropped.
pub(crate) struct Running(Child);

/// A relay in this process, whose clients' reconciliations the service answers.
pub(crate) struct Relay {
    pub(crate) url: PeerUrl,
    pub(crate) store: Arc<LmdbStore>,
    pub(crate) reconciler: Arc<RemoteReconciler>,
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl House {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        Self(if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where the service listens.
    pub(crate) fn address(&self) -> Address {
        Address::Unix(self.path("neg.sock"))
    }

    /// The binary, with no variables but those that point here.
    pub(crate) fn command(&self, variables: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orly-sync-negentropy"));
        command
            .env_clear()
            .env("HOME", self.0.path())
            .env("ORLY_SYNC_NEGENTROPY_LISTEN", self.address().to_string())
            .env("ORLY_DATA_DIR", self.path("data"))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The service over the embedded store of this directory.
    pub(crate) fn start(&self) -> Running {
        self.start_with(&[("ORLY_SYNC_NEGENTROPY_DB_TYPE", "badger")])
    }

    pub(crate) fn start_with(&self, variables: &[(&str, &str)]) -> Running {
        let mut command = self.command(variables);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// A relay over the same store.
    pub(crate) async fn relay(&self) -> Relay {
        let store = Arc::new(LmdbStore::open(Options::new(self.path("data")), vec![]).unwrap());
        let reconciler = Arc::new(RemoteReconciler::new(&self.address(), PATIENCE));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap()).parse().unwrap();
        let settings = relay::Settings {
            verify_threads: 1,
            drain: Duration::ZERO,
            ..relay::Settings::default()
        };
        let parts = relay::Parts {
            reconciler: Some(Arc::clone(&reconciler) as _),
            ..relay::Parts::open(Arc::clone(&store))
        };
        let serving = relay::serve(listener, None, settings, parts, CancellationToken::new());
        let following = Arc::clone(&reconciler).run(CancellationToken::new());
        let tasks = [spawn(async { serving.await.unwrap() }), spawn(following)];
        Relay { url, store, reconciler, _tasks: tasks }
    }
}

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends it, and waits until it has.
    pub(crate) async fn end(mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let mut status = None;
        until(|| {
            status = self.0.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Relay {
    /// Waits until the relay says whether NIP-77 is answered.
    pub(crate) async fn until_ready(&self, is_ready: bool) {
        until(|| self.reconciler.is_ready() == is_ready).await;
        assert_eq!(self.document().await.contains(",77,"), is_ready);
    }

    /// The relay's document (NIP-11).
    async fn document(&self) -> String {
        let addr = self.url.as_str().trim_start_matches("ws://");
        let mut stream = TcpStream::connect(addr).await.unwrap();
        let request = "GET / HTTP/1.1\r\nhost: x\r\naccept: application/nostr+json\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// Waits for something to become true.
pub(crate) async fn until(mut is_there: impl FnMut() -> bool) {
    let waiting = async {
        while !is_there() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it happens in time");
}

pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(work))
}
