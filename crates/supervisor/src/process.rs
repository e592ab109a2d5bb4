//! Processes of the operating system: each in a group of its own, which dies with its leader, which asks to
//! be told when the supervisor dies.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;

use nix::sys::signal::{self, kill, killpg};
use nix::unistd::{Pid, getppid};
use parking_lot::Mutex;
use tokio::process::Command;

use crate::{Ending, Process, Signal, Spawner, Unit};

/// Processes that were started here and have not been waited for.
pub(crate) type Running = Arc<Mutex<BTreeSet<u32>>>;

/// Starts processes of the operating system.
#[derive(Debug, Default)]
pub struct OsSpawner {
    wrapper: Option<(PathBuf, OsString)>,
    pub(crate) running: Running,
}

impl OsSpawner {
    /// Starts units directly. They go on when the supervisor dies.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts units through a program that, called with `argument` and what follows it, does nothing but
    /// [`become_unit`]: so they are told to stop when the supervisor dies.
    pub fn with_wrapper(program: PathBuf, argument: impl Into<OsString>) -> Self {
        Self { wrapper: Some((program, argument.into())), running: Running::default() }
    }

    /// Starts a program that is no unit, and gives what it writes to its standard output.
    pub async fn ask(&self, command: &mut Command) -> io::Result<(ExitStatus, Vec<u8>)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.process_group(0).kill_on_drop(true);
        let (child, registered) = self.start(command)?;
        let output = child.wait_with_output().await;
        drop(registered);
        let output = output?;
        Ok((output.status, output.stdout))
    }

    /// Whoever reaps orphans must not see a process before it is in the list.
    fn start(&self, command: &mut Command) -> io::Result<(tokio::process::Child, Registered)> {
        let mut running = self.running.lock();
        let child = command.spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("it ended before it started"))?;
        running.insert(pid);
        Ok((child, Registered { pid, running: self.running.clone() }))
    }

    fn command(&self, unit: &Unit) -> Command {
        let mut command = match &self.wrapper {
            Some((wrapper, argument)) => {
                let mut command = Command::new(wrapper);
                command.arg(argument).arg(std::process::id().to_string()).arg(&unit.program);
                command
            }
            None => Command::new(&unit.program),
        };
        command.args(&unit.arguments);
        for (name, value) in &unit.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }
}

impl Spawner for OsSpawner {
    fn spawn(&self, unit: &Unit) -> io::Result<Process> {
        is_program(&unit.program)?;
        let (mut child, registered) = self.start(&mut self.command(unit))?;
        let mut process = Process {
            pid: registered.pid,
            output: Vec::new(),
            ending: Box::pin(std::future::pending()),
        };
        if let Some(pipe) = child.stdout.take() {
            process.output.push(Box::new(pipe));
        }
        if let Some(pipe) = child.stderr.take() {
            process.output.push(Box::new(pipe));
        }
        process.ending = Box::pin(async move {
            let status = child.wait().await;
            // What it started may hold its ports and its pipes. Most have started nothing.
            let _nobody = killpg(to_nix(registered.pid), signal::Signal::SIGKILL);
            drop(registered);
            ending(status)
        });
        Ok(process)
    }

    fn signal(&self, pid: u32, signal: Signal) {
        let running = self.running.lock();
        if !running.contains(&pid) {
            return;
        }
        let id = to_nix(pid);
        let sent = match signal {
            Signal::Terminate => killpg(id, signal::Signal::SIGTERM),
            Signal::Kill => killpg(id, signal::Signal::SIGKILL),
            Signal::Hangup if listens_to_hangup(pid) => kill(id, signal::Signal::SIGHUP),
            Signal::Hangup => Ok(()),
        };
        if let Err(error) = sent {
            tracing::debug!(pid, %error, "signal not delivered");
        }
    }
}

/// A process of ours, until it has been waited for.
struct Registered {
    pid: u32,
    running: Running,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.running.lock().remove(&self.pid);
    }
}

/// Turns this process into a unit's: `arguments` are the number of the supervisor, the program and what
/// belongs to it. Returns only if that fails.
///
/// Here it asks the kernel for a SIGTERM when the supervisor dies, which lasts over the change.
pub fn become_unit(mut arguments: impl Iterator<Item = OsString>) -> io::Error {
    let supervisor = arguments.next();
    let Some(program) = arguments.next() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "program is missing");
    };
    if let Err(error) = nix::sys::prctl::set_pdeathsig(signal::Signal::SIGTERM) {
        return error.into();
    }
    // It may have died before it was asked for.
    if supervisor.is_none_or(|supervisor| supervisor != *getppid().to_string()) {
        return io::Error::other("the supervisor is gone");
    }
    std::process::Command::new(program).args(arguments).exec()
}

/// With a wrapper in between, the kernel's answer would come from the wrapper.
fn is_program(path: &Path) -> io::Result<()> {
    if path.components().count() > 1 {
        nix::unistd::access(path, nix::unistd::AccessFlags::X_OK)?;
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
    }
    Ok(())
}

/// Whether a process does something of its own on SIGHUP; others would die of it.
fn listens_to_hangup(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

fn ending(status: io::Result<ExitStatus>) -> Ending {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Code(code),
            (None, Some(signal)) => Ending::Signal(signal),
            (None, None) => Ending::Unknown(status.to_string()),
        },
        Err(error) => Ending::Unknown(error.to_string()),
    }
}

fn to_nix(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("the kernel numbers processes with 22 bits"))
}
