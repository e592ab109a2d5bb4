//! Processes whose parent died: they become children of the first process of a container, or of whoever asks
//! for them, and stay as zombies until that one waits for them.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use tokio::signal::unix::{SignalKind, signal};

use crate::OsSpawner;

/// Waits for orphans as they end, for as long as the process runs. Those that `spawner` started are left to it.
pub async fn reap_orphans(spawner: &OsSpawner) -> std::io::Result<()> {
    let mut ended = signal(SignalKind::child())?;
    // So they come here also when this is not the first process, and can be ended with the rest.
    nix::sys::prctl::set_child_subreaper(true)?;
    loop {
        reap(spawner);
        ended.recv().await;
    }
}

/// Kills the orphans there are.
pub fn kill_orphans(spawner: &OsSpawner) {
    for (pid, _) in orphans(spawner) {
        tracing::info!(%pid, "kill a process that a unit left behind");
        // It may have ended just now.
        let _: Result<(), Errno> = kill(pid, Signal::SIGKILL);
    }
}

fn reap(spawner: &OsSpawner) {
    for (pid, state) in orphans(spawner) {
        if state == "Z" {
            let status = waitpid(pid, Some(WaitPidFlag::WNOHANG));
            tracing::debug!(%pid, ?status, "orphan reaped");
        }
    }
}

/// Children of this process that `spawner` did not start, and the letters of their states.
fn orphans(spawner: &OsSpawner) -> Vec<(Pid, String)> {
    let own = std::process::id().to_string();
    let running = spawner.running.lock();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut orphans = Vec::new();
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        // The name of the program, in brackets, may hold anything.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
        let (state, parent) = (fields.next(), fields.next());
        let is_known = u32::try_from(pid).is_ok_and(|pid| running.contains(&pid));
        if let (Some(state), true, false) = (state, parent == Some(own.as_str()), is_known) {
            orphans.push((Pid::from_raw(pid), state.to_owned()));
        }
    }
    orphans
}
