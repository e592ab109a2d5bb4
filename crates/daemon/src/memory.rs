//! How much memory there is: what the system has left, and what the control group allows.

use std::fs;
use std::path::{Path, PathBuf};

const CGROUPS: &str = "/sys/fs/cgroup";
/// Version 1 writes a number near 2^63 where there is no limit.
const UNLIMITED: u64 = 1 << 62;

/// How many bytes the control group (of either version) allows this process and its siblings;
/// `None` if it sets no limit. What files are mapped counts as well, but is given back on demand.
pub fn memory_limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    limit(Path::new(CGROUPS), &groups)
}

/// How many bytes may be taken now; plenty, if nothing says otherwise.
pub fn available_memory() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    memory_limit().into_iter().chain(mem_available(&meminfo)).min().unwrap_or(u64::MAX)
}

/// The smallest limit below `root` that holds for a process in these groups.
fn limit(root: &Path, groups: &str) -> Option<u64> {
    let files = limit_files(root, groups);
    let limits = files.iter().filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    limits.filter(|limit| *limit < UNLIMITED).min()
}

/// The files that may hold a limit: version 2 and 1, from the process's own group up to the root, which
/// is what a container sees of its own.
fn limit_files(root: &Path, groups: &str) -> Vec<PathBuf> {
    let mut files = vec![root.join("memory.max"), root.join("memory/memory.limit_in_bytes")];
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let (base, name) = if controllers.is_empty() {
            (root.to_owned(), "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            (root.join("memory"), "memory.limit_in_bytes")
        } else {
            continue;
        };
        let group = Path::new(group.trim_start_matches('/'));
        let groups = group.ancestors().filter(|group| !group.as_os_str().is_empty());
        files.extend(groups.map(|group| base.join(group).join(name)));
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
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn limits_are_looked_for_in_both_versions() {
        let groups = "5:cpu,memory:/docker/a\n4:pids:/docker/a\n0::/user.slice\n";
        let files = limit_files(Path::new("/c"), groups);
        let expected = [
            "/c/memory.max",
            "/c/memory/memory.limit_in_bytes",
            "/c/memory/docker/a/memory.limit_in_bytes",
            "/c/memory/docker/memory.limit_in_bytes",
            "/c/user.slice/memory.max",
        ];
        assert_eq!(files, expected.map(PathBuf::from));
    }

    #[test]
    fn the_smallest_limit_holds_and_none_is_none() {
        let root = TempDir::new().unwrap();
        let write = |name: &str, text: &str| {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        assert_eq!(limit(root.path(), ""), None);
        write("memory.max", "max\n");
        write("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit(root.path(), ""), None);
        write("a/memory.max", "134217728\n");
        assert_eq!(limit(root.path(), "0::/a/b\n"), Some(128 << 20));
        write("memory/memory.limit_in_bytes", "67108864\n");
        assert_eq!(limit(root.path(), "0::/a/b\n"), Some(64 << 20));
    }

    #[test]
    fn available_memory_is_read_from_the_system() {
        assert_eq!(mem_available("MemFree: 1 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        assert!(available_memory() > 0);
    }
}
