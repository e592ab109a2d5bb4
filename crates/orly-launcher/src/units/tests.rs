use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use daemon::Environment;
use expect_test::{Expect, expect};
use tempfile::TempDir;

use super::*;

/// A directory with programs that do nothing.
fn programs(names: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in names {
        let path = directory.path().join(name);
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

fn parts_of(programs: &TempDir, variables: &[(&str, &str)]) -> Result<Vec<Part>, String> {
    let path = programs.path().to_str().unwrap();
    let fixed = [("PATH", path), ("HOME", "/nowhere"), ("ORLY_DATA_DIR", "/data")];
    let environment = Environment::of(fixed.into_iter().chain(variables.iter().copied()));
    let settings = daemon::load::<Settings>(&environment).settings.unwrap();
    parts(&settings).map_err(|faults| faults.to_string())
}

/// What each unit needs and is told.
fn check(parts: &[Part], expected: &Expect) {
    let mut text = String::new();
    for unit in parts.iter().filter_map(|part| part.unit.as_ref()) {
        let program = unit.program.file_name().unwrap().to_string_lossy();
        let (name, priority) = (&unit.name, unit.priority);
        text.push_str(&format!("{name} = {program}, priority {priority}, needs {:?}", unit.needs));
        text.push_str(&format!(", after {:?}\n", unit.after));
        let environment: BTreeMap<_, _> = unit.environment.iter().cloned().collect();
        for (name, value) in environment {
            if let Some(value) = value {
                text.push_str(&format!("  {name}={}\n", value.to_string_lossy()));
            }
        }
    }
    expected.assert_eq(&text);
}

#[test]
fn by_default_there_are_the_store_and_the_relay() {
    let programs = programs(&["orly-db-badger", "orly"]);
    let parts = parts_of(&programs, &[]).unwrap();
    check(
        &parts,
        &expect![[r#"
        db = orly-db-badger, priority 15, needs [], after []
          ORLY_DATA_DIR=/data
          ORLY_DB_LISTEN=127.0.0.1:50051
          ORLY_DB_LOG_LEVEL=info
          ORLY_DB_TYPE=badger
        relay = orly, priority 20, needs ["db"], after []
          ORLY_ACL_TYPE=local
          ORLY_DATA_DIR=/data
          ORLY_DB_TYPE=grpc
          ORLY_GRPC_SERVER=127.0.0.1:50051
          ORLY_LISTEN=0.0.0.0
          ORLY_LOG_LEVEL=info
          ORLY_PORT=3334
    "#]],
    );
}

#[test]
fn with_all_services_each_is_told_where_the_others_are() {
    let programs = programs(&["orly-db-neo4j", "orly-acl", "orly-sync-negentropy", "orly"]);
    let variables = [
        ("ORLY_LAUNCHER_DB_BACKEND", "neo4j"),
        ("ORLY_LAUNCHER_DB_LISTEN", "unix:/run/db.sock"),
        ("ORLY_LAUNCHER_ACL_ENABLED", "true"),
        ("ORLY_ACL_MODE", "curation"),
        ("ORLY_LAUNCHER_SYNC_NEGENTROPY_ENABLED", "true"),
        ("ORLY_SYNC_NEGENTROPY_LISTEN", ":6000"),
        ("ORLY_LOG_LEVEL", "debug"),
        ("ORLY_DB_LOG_LEVEL", "warn"),
        ("ORLY_AUTH_REQUIRED", "true"),
    ];
    let parts = parts_of(&programs, &variables).unwrap();
    check(
        &parts,
        &expect![[r#"
        db = orly-db-neo4j, priority 15, needs [], after []
          ORLY_DATA_DIR=/data
          ORLY_DB_LISTEN=unix:/run/db.sock
          ORLY_DB_LOG_LEVEL=warn
          ORLY_DB_TYPE=neo4j
        acl = orly-acl, priority 16, needs ["db"], after []
          ORLY_ACL_DB_TYPE=grpc
          ORLY_ACL_GRPC_DB_SERVER=unix:/run/db.sock
          ORLY_ACL_LISTEN=127.0.0.1:50052
          ORLY_ACL_LOG_LEVEL=debug
          ORLY_ACL_MODE=curating
          ORLY_DATA_DIR=/data
        negentropy = orly-sync-negentropy, priority 25, needs ["db"], after ["acl"]
          ORLY_DATA_DIR=/data
          ORLY_SYNC_NEGENTROPY_DB_SERVER=unix:/run/db.sock
          ORLY_SYNC_NEGENTROPY_DB_TYPE=grpc
          ORLY_SYNC_NEGENTROPY_LISTEN=127.0.0.1:6000
          ORLY_SYNC_NEGENTROPY_LOG_LEVEL=debug
        relay = orly, priority 20, needs ["db", "acl"], after ["negentropy"]
          ORLY_ACL_MODE=curating
          ORLY_ACL_TYPE=grpc
          ORLY_AUTH_REQUIRED=true
          ORLY_DATA_DIR=/data
          ORLY_DB_TYPE=grpc
          ORLY_GRPC_ACL_SERVER=127.0.0.1:50052
          ORLY_GRPC_SERVER=unix:/run/db.sock
          ORLY_GRPC_SYNC_NEGENTROPY=127.0.0.1:6000
          ORLY_LISTEN=0.0.0.0
          ORLY_LOG_LEVEL=debug
          ORLY_NEGENTROPY_ENABLED=true
          ORLY_PORT=3334
          ORLY_SYNC_TYPE=grpc
    "#]],
    );
    let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
    assert_eq!(names, ["db", "acl", "distributed", "cluster", "relaygroup", "negentropy", "relay"]);
}

#[test]
fn every_missing_program_is_named_at_once() {
    let programs = programs(&[]);
    let variables =
        [("ORLY_LAUNCHER_ACL_ENABLED", "true"), ("ORLY_LAUNCHER_RELAY_BINARY", "/opt/orly")];
    let error = parts_of(&programs, &variables).unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].starts_with("ORLY_LAUNCHER_DB_BINARY: program orly-db-badger is in none of "));
    assert!(lines[1].contains("program orly-acl-follows or orly-acl is in none of"), "{error}");
    assert_eq!(
        lines[2],
        "ORLY_LAUNCHER_RELAY_BINARY=\"/opt/orly\": there is no program of this name"
    );
}

#[test]
fn the_store_may_take_all_the_time_it_has_to_stop() {
    let programs = programs(&["orly-db-badger", "orly"]);
    let parts = parts_of(&programs, &[("ORLY_LAUNCHER_STOP_TIMEOUT", "60s")]).unwrap();
    let times: Vec<u64> = parts
        .iter()
        .filter_map(|part| part.unit.as_ref())
        .map(|unit| unit.stop_timeout.as_secs())
        .collect();
    assert_eq!(times, [60, 10]);
}
