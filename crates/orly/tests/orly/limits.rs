//! What the system does not grant is named with the remedy.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::house::House;
use crate::serve::Running;

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

fn log_of(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The relay, started by a shell that has set a limit.
fn limited(house: &House, limit: &str, variables: &[(&str, &str)]) -> Command {
    let mut shell = Command::new("/bin/sh");
    let line = format!("{limit}; exec {}", env!("CARGO_BIN_EXE_orly"));
    shell.args(["-c", &line]).env_clear().env("HOME", house.path(""));
    shell.env("ORLY_PORT", "0").envs(variables.iter().copied());
    shell
}

#[test]
fn a_directory_of_another_user_is_named_with_both_users() {
    let house = House::new();
    let data = house.path("data");
    std::fs::create_dir(&data).unwrap();
    let is_root = nix::unistd::geteuid().is_root();
    let mode = if is_root { 0o755 } else { 0o555 };
    for path in [house.path(""), data.clone()] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode)).unwrap();
    for directory in [data.clone(), data.join("below")] {
        let mut command = house.command(&[]);
        command.env("ORLY_DATA_DIR", &directory);
        if is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        let (code, log) = log_of(command);
        assert_eq!(code, Some(1), "{log}");
        let start = format!(
            "open event store in {}: {} belongs to user ",
            directory.display(),
            data.display()
        );
        assert!(log.contains(&start) && log.contains(": chown -R "), "{log}");
        assert!(log.ends_with("Permission denied (os error 13)\n"), "{log}");
    }
}

#[test]
fn a_file_in_place_of_the_directory_is_named() {
    let house = House::new();
    house.file("data", b"");
    let answer = house.run_with(&[("ORLY_DATA_DIR", "data/store"), ("ORLY_PORT", "0")], &[]);
    assert_eq!(answer.code, Some(1));
    let expected = "open event store in data/store: it is no directory: set ORLY_DATA_DIR: ";
    assert!(answer.err.contains(expected), "{answer:?}");
}

#[test]
fn too_few_addresses_for_the_map_are_named() {
    let house = House::new();
    let (code, log) = log_of(limited(&house, "ulimit -v 3000000", &[]));
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("its map needs more addresses than 3072000000 bytes"), "{log}");
    assert!(log.contains("(ulimit -v, LimitAS=), or set ORLY_DB_MAP_SIZE_MB to less"), "{log}");
}

#[test]
fn too_few_open_files_are_warned_of() {
    let house = House::new();
    let relay = Running::from(limited(&house, "ulimit -n 200", &[]));
    let warning = "open files are limited to fewer than the connections that are allowed";
    let log = relay.started.clone();
    assert!(log.contains(warning) && log.contains("open_files=200"), "{log}");
    assert!(log.contains("ORLY_MAX_GLOBAL_CONNECTIONS"), "{log}");
    relay.end(Signal::SIGTERM);
    let few = [("ORLY_MAX_GLOBAL_CONNECTIONS", "100")];
    let relay = Running::from(limited(&house, "ulimit -n 200", &few));
    assert!(!relay.started.contains(warning), "{}", relay.started);
    relay.end(Signal::SIGTERM);
}
