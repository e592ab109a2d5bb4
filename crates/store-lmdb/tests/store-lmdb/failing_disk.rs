//! A disk that fails, for a process that has one store open.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;

/// The flags of the file that LMDB writes the end of a commit through, in the words of /proc: O_DSYNC, O_WRONLY.
const END_OF_COMMIT: u32 = 0o10001;

/// Puts a full device in the place of that file.
pub(crate) fn fail_end_of_commit() -> File {
    let is_end = |fd: &i32| {
        let target = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0");
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        target.ends_with("data.mdb") && flags & END_OF_COMMIT == END_OF_COMMIT
    };
    let fd = (0..100).find(is_end).unwrap();
    nix::unistd::close(fd).unwrap();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(full.as_raw_fd(), fd);
    full
}
