//! A directory of its own, and processes that run in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rpc::{Address, ServiceHealth, ServiceKind, ServiceProbe};
use tempfile::TempDir;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A home directory that goes away.
pub(crate) struct House(TempDir);

/// A process; it is killed when it is dropped.
pub(crate) struct Running(Child);

impl House {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The address of a socket in it.
    pub(crate) fn socket(&self, name: &str) -> Address {
        format!("unix:{}", self.path(name).display()).parse().unwrap()
    }

    /// A binary with no variables but those that point here.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", self.0.path()).current_dir(self.0.path());
        command.env("ORLY_DATA_DIR", self.path("data"));
        command.env("ORLY_BOOTSTRAP_RELAYS", "none");
        command.env("ORLY_ACL_LISTEN", self.socket("acl.sock").to_string());
        command.env("ORLY_GRPC_ACL_SERVER", self.socket("acl.sock").to_string());
        command.env("ORLY_DB_LISTEN", self.socket("db.sock").to_string());
        command.env("ORLY_GRPC_SERVER", self.socket("db.sock").to_string());
        command
    }

    /// Starts a binary; its log goes to a file of its name.
    pub(crate) fn start(&self, program: &Path, variables: &[(&str, &str)]) -> Running {
        let name = program.file_name().unwrap().to_string_lossy();
        let log = std::fs::File::create(self.path(&format!("{name}.log"))).unwrap();
        let mut command = self.command(program);
        command.envs(variables.iter().copied()).stdin(Stdio::null()).stderr(log);
        Running(command.spawn().unwrap())
    }

    /// Starts the service.
    pub(crate) fn start_acl(&self, variables: &[(&str, &str)]) -> Running {
        self.start(acl(), variables)
    }

    /// What the service says of itself.
    pub(crate) async fn health(&self) -> ServiceHealth {
        ServiceProbe::new(self.socket("acl.sock"), ServiceKind::Access).ask().await
    }

    /// Waits until the service says this of itself.
    pub(crate) async fn comes_to(&self, is_so: impl Fn(&ServiceHealth) -> bool) {
        let wait = async {
            while !is_so(&self.health().await) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let log = || std::fs::read_to_string(self.path("orly-acl.log")).unwrap_or_default();
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{}", log()));
    }

    /// What a process logged so far.
    pub(crate) fn log(&self, program: &str) -> String {
        std::fs::read_to_string(self.path(&format!("{program}.log"))).unwrap_or_default()
    }
}

impl Running {
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), signal).unwrap();
    }

    /// Ends it by a signal, and gives its exit code.
    pub(crate) fn end(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.0.wait().unwrap().code()
    }

    /// Waits for its end, and gives its exit code.
    pub(crate) fn code(mut self) -> Option<i32> {
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

pub(crate) fn acl() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_orly-acl"))
}

/// Other processes of ours, if they were built beside this one.
pub(crate) fn beside<const N: usize>(programs: [&str; N]) -> Option<[PathBuf; N]> {
    let found = programs.map(|program| acl().with_file_name(program));
    let missing = found.iter().find(|path| !path.exists());
    if let Some(missing) = missing {
        println!("skipped: {} is not built", missing.display());
    }
    missing.is_none().then_some(found)
}
