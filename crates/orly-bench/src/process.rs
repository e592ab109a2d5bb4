//! What a server process and its descendants cost, from /proc: CPU time, resident memory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::report::{Metric, Section};

/// The kernel reports CPU time in hundredths of a second to user space, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// A server under measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pid: u32,
}

/// What the server had used up to a moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time.
    pub(crate) cpu: Duration,
    /// Peak resident set, mapped files included (VmHWM).
    pub(crate) peak_rss: u64,
    /// Resident set now, mapped files included.
    pub(crate) rss: u64,
    /// Resident anonymous memory now: heap and stacks.
    pub(crate) anonymous: u64,
}

impl Server {
    /// Checks that the process exists.
    pub(crate) fn new(pid: u32) -> anyhow::Result<Self> {
        ensure!(
            fs::exists(format!("/proc/{pid}/stat")).unwrap_or(false),
            "--pid {pid}: no such process"
        );
        Ok(Self { pid })
    }

    /// Reads the usage of the process and its descendants.
    pub(crate) fn usage(self) -> anyhow::Result<Usage> {
        let mut usage = Usage::default();
        for pid in family(self.pid, &parents()) {
            let Some(one) = read_usage(pid) else {
                ensure!(pid != self.pid, "process {pid} has ended");
                continue;
            };
            usage.cpu += one.cpu;
            usage.peak_rss += one.peak_rss;
            usage.rss += one.rss;
            usage.anonymous += one.anonymous;
        }
        Ok(usage)
    }
}

impl Usage {
    /// CPU time since an earlier moment.
    pub(crate) const fn cpu_since(&self, before: &Self) -> Duration {
        self.cpu.saturating_sub(before.cpu)
    }
}

/// Reads the usage of an optional server.
pub(crate) fn usage(server: Option<Server>) -> anyhow::Result<Option<Usage>> {
    server.map(Server::usage).transpose().context("read the server's usage")
}

/// CPU time between two readings, and per unit of work.
pub(crate) fn cpu_metrics(
    before: Option<Usage>,
    after: Option<Usage>,
    unit: &str,
    units: usize,
) -> Vec<Metric> {
    let (Some(before), Some(after)) = (before, after) else {
        return Vec::new();
    };
    let cpu = after.cpu_since(&before).as_secs_f64();
    vec![
        Metric::seconds("server_cpu", cpu),
        Metric::millis(&format!("server_cpu_per_{unit}"), cpu * 1e3 / units.max(1) as f64),
    ]
}

/// The server's memory at the end of a measurement; empty without a server.
pub(crate) fn memory_section(usage: Option<Usage>) -> Section {
    let section = Section::new("server");
    let Some(usage) = usage else {
        return section;
    };
    section.with([
        Metric::bytes("peak_rss", usage.peak_rss as f64),
        Metric::bytes("rss", usage.rss as f64),
        Metric::bytes("anonymous_rss", usage.anonymous as f64),
        Metric::seconds("cpu_total", usage.cpu.as_secs_f64()),
    ])
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat_fields(pid)?.first()?.parse().ok()?))).collect()
}

fn family(root: u32, parents: &[(u32, u32)]) -> BTreeSet<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(pid, parent) in parents {
        children.entry(parent).or_default().push(pid);
    }
    let mut family = BTreeSet::new();
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        if family.insert(pid) {
            open.extend(children.get(&pid).into_iter().flatten());
        }
    }
    family
}

/// The fields of /proc/PID/stat after the state: parent first.
fn stat_fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name may contain spaces and parentheses; the last one closes it.
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split_ascii_whitespace().skip(1).map(str::to_owned).collect())
}

fn read_usage(pid: u32) -> Option<Usage> {
    let fields = stat_fields(pid)?;
    // utime, stime and those of children that were waited for, counted from the parent's pid (field 4).
    let ticks: u32 = fields.get(10..14)?.iter().filter_map(|field| field.parse::<u32>().ok()).sum();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(Usage {
        // Threads that still run are known to the nanosecond; ticks also have those that ended.
        cpu: (TICK * ticks).max(running_threads_cpu(pid)),
        peak_rss: status_bytes(&status, "VmHWM:"),
        rss: status_bytes(&status, "VmRSS:"),
        anonymous: status_bytes(&status, "RssAnon:"),
    })
}

fn running_threads_cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split_ascii_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

fn status_bytes(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib =
        line.and_then(|line| line.trim().trim_end_matches("kB").trim_end().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_usage_is_positive() {
        let usage = Server::new(std::process::id()).unwrap().usage().unwrap();
        assert!(usage.cpu > Duration::ZERO);
        assert!(usage.peak_rss >= usage.rss && usage.rss > 0 && usage.anonymous > 0);
    }

    #[test]
    fn family_has_children_of_children_and_nobody_else() {
        let parents = [(2, 1), (3, 2), (4, 3), (5, 1)];
        assert_eq!(family(2, &parents), BTreeSet::from([2, 3, 4]));
    }

    #[test]
    fn unknown_process_is_refused() {
        assert!(Server::new(u32::MAX).is_err());
    }
}
