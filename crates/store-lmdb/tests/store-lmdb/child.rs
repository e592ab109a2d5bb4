//! Work for another process: the tests' own binary, running one ignored test.
//!
//! What it has to say it writes to its standard error, a word and its argument on a line.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Where a child finds its database.
const PATH: &str = "STORE_LMDB_TEST_PATH";

/// A child under way; it is killed with its parent's interest in it.
pub(crate) struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStderr>>,
}

/// Starts the ignored test of this name on a database.
pub(crate) fn start(test: &str, path: &Path) -> Running {
    let binary = std::env::current_exe().unwrap();
    let mut command = Command::new(binary);
    command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]);
    let mut child =
        command.env(PATH, path).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    Running { child, lines }
}

/// In a child: its database, if it is one.
pub(crate) fn path() -> PathBuf {
    std::env::var_os(PATH).expect("started by another test").into()
}

impl Running {
    /// The argument of the next line that starts with `word`; `None` at the end.
    pub(crate) fn next(&mut self, word: &str) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            match line.split_once(' ') {
                Some((first, rest)) if first == word => return Some(rest.to_owned()),
                _ if line.contains("panicked") => panic!("{line}: {:?}", self.lines.next()),
                _ => {}
            }
        }
    }

    /// Kills it (SIGKILL) when some time has passed.
    pub(crate) fn kill_after(&self, time: Duration) -> JoinHandle<()> {
        let pid = Pid::from_raw(self.child.id().try_into().unwrap());
        std::thread::spawn(move || {
            std::thread::sleep(time);
            kill(pid, Signal::SIGKILL).unwrap();
        })
    }

    /// Waits until it ends by itself.
    pub(crate) fn finish(mut self) {
        while self.next("").is_some() {}
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
