//! What a process takes of the machine, as the kernel counts it (proc(5)).

use std::time::Duration;

/// The kernel tells times to programs in hundredths of a second, whatever it counts with itself.
const TICK: Duration = Duration::from_millis(10);

/// What a process takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of memory it holds.
    pub memory: u64,
    /// Time it ran on a processor.
    pub cpu: Duration,
}

impl Usage {
    /// What a process takes; `None` if it has ended.
    pub fn of(pid: u32) -> Option<Self> {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        Some(Self { memory: memory(&status).unwrap_or_default(), cpu: cpu(&stat)? })
    }
}

fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes << 10)
}

/// Fields 14 and 15; the name before them may hold anything, and ends at the last bracket.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u32>().ok();
    Some(TICK * next()?.saturating_add(next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_takes_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!((1 << 20..1 << 40).contains(&usage.memory), "{usage:?}");
        assert_eq!(Usage::of(u32::MAX), None);
    }

    #[test]
    fn names_with_brackets_are_no_fields() {
        let stat = "7 (a) b)) S 1 7 7 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 1 0 1";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu("7"), None);
    }
}
