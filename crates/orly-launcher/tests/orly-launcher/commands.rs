use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use crate::house::{House, read_until, wait_for};

#[test]
fn units_are_shown_stopped_started_and_restarted() {
    let house = House::started();
    let (code, text) = house.run(&["status"]);
    assert_eq!(code, Some(0));
    for word in ["UNIT", "MEMORY", "db", "acl", "negentropy", "relay", "all ready"] {
        assert!(text.contains(word), "{text}");
    }
    // The names of the original mean the same.
    let before = house.pid_of("db");
    let (code, text) = house.run(&["restart", "orly-db"]);
    assert_eq!((code, text.starts_with("db: ready after ")), (Some(0), true), "{text}");
    assert_ne!(house.pid_of("db"), before);
    assert_eq!(house.run(&["stop", "relay"]).0, Some(0));
    assert_eq!(House::unit(&house.status(), "relay")["state"], "stopped");
    assert_eq!(house.run(&["start", "relay"]).0, Some(0));
    let (code, text) = house.run(&["stop", "rely"]);
    assert_eq!(code, Some(1));
    let known = "no unit is called \"rely\": there are db, acl, negentropy, relay\n";
    assert_eq!(text, known);
    assert_eq!(house.run(&["stop"]).0, Some(0));
    assert_eq!(house.run(&["stop"]).1, "all units are stopped already\n");
    assert_eq!(house.run(&["start"]).0, Some(0));
    assert_eq!(house.run(&["restart"]).0, Some(0));
}

#[test]
fn output_is_printed_and_followed() {
    let mut house = House::started();
    let (code, text) = house.run(&["logs", "acl"]);
    assert_eq!((code, text.as_str()), (Some(0), "acl        | orly-acl says hello\n"));
    assert_eq!(house.run(&["logs", "-n", "2"]).1.lines().count(), 2);
    let mut follow =
        house.command(&["logs", "-f", "relay"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = follow.stdout.take().unwrap();
    read_until(&mut pipe, "relay      | orly says hello\n");
    assert_eq!(house.run(&["restart", "relay"]).0, Some(0));
    read_until(&mut pipe, "relay      | orly says hello\n");
    assert_eq!(house.stop().code, Some(0));
    // It ends with the launcher.
    wait_for("the command to end", || follow.try_wait().unwrap());
}

#[test]
fn without_a_launcher_commands_say_so() {
    let house = House::new();
    for command in [["status", ""], ["restart", "db"], ["logs", "db"]] {
        let arguments: Vec<&str> = command.into_iter().filter(|word| !word.is_empty()).collect();
        let (code, text) = house.run(&arguments);
        assert_eq!(code, Some(1));
        assert!(text.contains("orly-launcher.sock: no launcher is running"), "{text}");
    }
}

#[test]
fn only_the_user_may_talk_to_the_launcher() {
    let house = House::started();
    let socket = std::fs::metadata(house.path("orly-launcher.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[test]
fn lines_of_units_are_json_if_the_log_is() {
    let mut house = House::new();
    house.set("ORLY_LOG_FORMAT", "json");
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let ended = house.stop();
    assert_eq!(ended.code, Some(0));
    let lines: Vec<Value> =
        ended.log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let hello = lines.iter().find(|line| line["message"] == "orly-db-badger says hello");
    assert_eq!(hello.unwrap()["unit"], "db");
    assert!(lines.iter().any(|line| line["message"] == "ready" && line["unit"] == "relay"));
}

#[test]
fn help_teaches_and_nonsense_is_refused() {
    let house = House::new();
    let (code, text) = house.run(&["--help"]);
    assert_eq!(code, Some(0));
    for word in ["Examples:", "Exit codes:", "Units:", "orly-launcher restart relay"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(house.run(&["--version"]).1.starts_with("orly-launcher "));
    assert_eq!(house.run(&["dance"]).0, Some(64));
    let (code, text) = house.run(&["env"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("ORLY_LAUNCHER_STOP_TIMEOUT=30s"), "{text}");
}

#[test]
fn units_can_wait_to_be_started() {
    let mut house = House::new();
    house.set("ORLY_LAUNCHER_SERVICES_ENABLED", "false");
    house.start();
    house.wait_until("an answer", |status| status["services_running"] == false);
    assert!(house.journal().is_empty());
    assert_eq!(house.run(&["start", "relay"]).0, Some(0));
    // With what it needs, and no more.
    let status = house.status();
    assert_eq!(House::unit(&status, "db")["state"], "ready");
    assert_eq!(House::unit(&status, "negentropy")["state"], "stopped");
    assert_eq!(house.stop().code, Some(0));
}
