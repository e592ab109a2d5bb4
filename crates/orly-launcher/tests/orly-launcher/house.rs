//! A directory of its own, services that stand in for the real ones, and a launcher over them.

use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// The services, and what the launcher calls them.
pub(crate) const UNITS: [(&str, &str); 4] = [
    ("db", "orly-db-badger"),
    ("acl", "orly-acl"),
    ("negentropy", "orly-sync-negentropy"),
    ("relay", "orly"),
];

pub(crate) struct House {
    directory: TempDir,
    pub(crate) variables: Vec<(String, String)>,
    launcher: Option<Child>,
}

/// How a launcher ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) log: String,
}

impl House {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let launcher = Path::new(env!("CARGO_BIN_EXE_orly-launcher"));
        let stand_in = launcher.parent().unwrap().join("examples/stand-in");
        for (_, program) in UNITS {
            std::os::unix::fs::symlink(&stand_in, directory.path().join(program)).unwrap();
        }
        let mut house = Self { directory, variables: Vec::new(), launcher: None };
        for (variable, program) in [
            ("ORLY_LAUNCHER_DB_BINARY", "orly-db-badger"),
            ("ORLY_LAUNCHER_ACL_BINARY", "orly-acl"),
            ("ORLY_LAUNCHER_SYNC_NEGENTROPY_BINARY", "orly-sync-negentropy"),
            ("ORLY_LAUNCHER_RELAY_BINARY", "orly"),
        ] {
            house.set(variable, &house.path(program).display().to_string());
        }
        for (variable, socket) in [
            ("ORLY_LAUNCHER_DB_LISTEN", "db.sock"),
            ("ORLY_LAUNCHER_ACL_LISTEN", "acl.sock"),
            ("ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN", "sync.sock"),
        ] {
            house.set(variable, &format!("unix:{}", house.path(socket).display()));
        }
        house.set("HOME", &house.path("").display().to_string());
        house.set("PATH", "/usr/local/bin:/usr/bin:/bin");
        house.set("ORLY_DATA_DIR", &house.path("").display().to_string());
        house.set("ORLY_LAUNCHER_ACL_ENABLED", "true");
        house.set("ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED", "true");
        house.set("ORLY_LAUNCHER_RESTART_DELAY", "10ms");
        house.set("ORLY_LAUNCHER_ADMIN_PORT", "0");
        house.set("ORLY_LISTEN", "127.0.0.1");
        house.set("ORLY_PORT", &free_port().to_string());
        house
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.retain(|(name, _)| name != variable);
        self.variables.push((variable.into(), value.into()));
    }

    /// How a service behaves from its next start on.
    pub(crate) fn behave(&self, program: &str, behaviour: &str) {
        std::fs::write(self.path(&format!("{program}.txt")), behaviour).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orly-launcher"));
        command.args(arguments).env_clear().current_dir(self.directory.path());
        command.envs(self.variables.iter().cloned()).stdin(Stdio::null());
        command
    }

    pub(crate) fn start(&mut self) {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let out = log.try_clone().unwrap();
        self.launcher = Some(self.command(&[]).stdout(out).stderr(log).spawn().unwrap());
    }

    /// Starts it and waits until all is ready.
    pub(crate) fn started() -> Self {
        let mut house = Self::new();
        house.start();
        house.wait_until("all is ready", |status| status["ready"] == true);
        house
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.launcher.as_ref().unwrap().id().cast_signed())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Asks it to stop, and waits.
    pub(crate) fn stop(&mut self) -> Ended {
        self.signal(Signal::SIGTERM);
        self.end()
    }

    /// Waits until it has ended.
    pub(crate) fn end(&mut self) -> Ended {
        let mut launcher = self.launcher.take().unwrap();
        let status = wait_for("the launcher to end", || launcher.try_wait().unwrap());
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        Ended { code, log: self.log() }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// What the services noted.
    pub(crate) fn journal(&self) -> Vec<String> {
        let journal = std::fs::read_to_string(self.path("journal")).unwrap_or_default();
        journal.lines().map(str::to_owned).collect()
    }

    /// Runs a command; its exit code and what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    }

    /// The status as JSON; null while nobody answers.
    pub(crate) fn status(&self) -> Value {
        serde_json::from_str(&self.run(&["status", "--json"]).1).unwrap_or_default()
    }

    pub(crate) fn wait_until(&mut self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait_for(what, || {
            let ended = self.launcher.as_mut().and_then(|launcher| launcher.try_wait().unwrap());
            assert!(ended.is_none(), "the launcher ended: {}", self.log());
            Some(self.status()).filter(|status| is_so(status))
        })
    }

    /// A unit of a status.
    pub(crate) fn unit<'a>(status: &'a Value, name: &str) -> &'a Value {
        let units = status["processes"].as_array().unwrap();
        units.iter().find(|unit| unit["name"] == name).unwrap()
    }

    pub(crate) fn pid_of(&self, name: &str) -> Pid {
        let pid = Self::unit(&self.status(), name)["pid"].as_i64().unwrap();
        Pid::from_raw(i32::try_from(pid).unwrap())
    }

    /// The number of a process that a service wrote into a file.
    pub(crate) fn noted_pid(&self, name: &str) -> Pid {
        let text = wait_for(name, || std::fs::read_to_string(self.path(name)).ok());
        Pid::from_raw(text.trim().parse().unwrap())
    }
}

impl Drop for House {
    /// Nothing may be left when a test fails; units end with their launcher.
    fn drop(&mut self) {
        if let Some(launcher) = &mut self.launcher {
            drop(launcher.kill());
            drop(launcher.wait());
        }
    }
}

/// Waits for something, until the deadline.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < DEADLINE, "waited too long for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until a process has ended; a zombie has, too.
pub(crate) fn wait_until_ended(pid: Pid) {
    wait_for("a process to end", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
        (state.is_empty() || state.starts_with('Z')).then_some(())
    });
}

/// A port that nobody uses, from below those the system gives to whoever asks for any: none of them
/// is given away before the launcher's relay listens there.
pub(crate) fn free_port() -> u16 {
    wait_for("a free port", || {
        let port = rand::random_range(20_000..32_768);
        std::net::TcpListener::bind(("127.0.0.1", port)).is_ok().then_some(port)
    })
}

/// Reads from a pipe until it says something.
pub(crate) fn read_until(pipe: &mut impl Read, text: &str) {
    let mut read = String::new();
    let mut byte = [0];
    while !read.contains(text) {
        assert_eq!(pipe.read(&mut byte).unwrap(), 1, "ended before {text:?}: {read}");
        read.push(char::from(byte[0]));
    }
}
