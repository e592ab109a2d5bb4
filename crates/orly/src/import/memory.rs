//! How much memory there is: what the system has left, and what the control group allows.

use std::fs;
use std::path::{Path, PathBuf};

const CGROUPS: &str = "/sys/fs/cgroup";

/// How many bytes may be taken; plenty, if nothing says otherwise.
pub(crate) fn available() -> u64 {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = limit_files(Path::new(CGROUPS), &groups);
    let limits =
        limits.iter().filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    limits.chain(mem_available(&meminfo)).min().unwrap_or(u64::MAX)
}

/// The files that may hold a limit: version 2 and 1, from the process's own group and, as a container
/// sees it, from the root.
fn limit_files(root: &Path, groups: &str) -> Vec<PathBuf> {
    let mut files = vec![root.join("memory.max"), root.join("memory/memory.limit_in_bytes")];
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let group = group.trim_start_matches('/');
        if controllers.is_empty() {
            files.push(root.join(group).join("memory.max"));
        } else if controllers.split(',').any(|name| name == "memory") {
            files.push(root.join("memory").join(group).join("memory.limit_in_bytes"));
        }
    }
    files
}

fn mem_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_looked_for_in_both_versions() {
        let groups = "5:cpu,memory:/docker/a\n4:pids:/docker/a\n0::/user.slice\n";
        let files = limit_files(Path::new("/c"), groups);
        let expected = [
            "/c/memory.max",
            "/c/memory/memory.limit_in_bytes",
            "/c/memory/docker/a/memory.limit_in_bytes",
            "/c/user.slice/memory.max",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
    }

    #[test]
    fn available_memory_is_read_from_the_system() {
        assert_eq!(mem_available("MemFree: 1 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        assert!(available() > 0);
    }
}
