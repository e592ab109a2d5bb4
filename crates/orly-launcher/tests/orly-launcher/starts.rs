use nix::sys::signal::Signal;

use crate::house::{House, UNITS, wait_for, wait_until_ended};

#[test]
fn a_unit_that_never_gets_ready_is_named_and_all_stop() {
    let mut house = House::new();
    house.behave("orly-sync-negentropy", "never ready");
    house.set("ORLY_LAUNCHER_SYNC_READY_TIMEOUT", "500ms");
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(1));
    let socket = house.path("sync.sock");
    let expected = format!(
        "unit negentropy: not ready after 500ms (unix:{} NOT_SERVING); not started: relay",
        socket.display()
    );
    assert!(ended.log.contains(&expected), "{}", ended.log);
    assert!(ended.log.contains("its last output:\n  orly-sync-negentropy says hello"));
    assert_eq!(house.journal().last().unwrap(), "stop orly-db-badger");
}

#[test]
fn a_unit_that_falls_at_once_is_named_with_its_last_lines() {
    let mut house = House::new();
    house.behave("orly-db-badger", "crash");
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(1));
    let expected =
        "unit db: exited with code 3; not started: acl, negentropy, relay\nits last output:\n";
    assert!(ended.log.contains(expected), "{}", ended.log);
    assert!(ended.log.contains("\n  no space left\n"), "{}", ended.log);
    assert!(ended.log.contains("db         | no space left"), "{}", ended.log);
}

#[test]
fn settings_that_a_unit_refuses_are_not_tried_again() {
    let mut house = House::new();
    house.behave("orly-acl", "refuse");
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(64));
    assert!(ended.log.contains("\n  ORLY_X=\"y\": expected z"), "{}", ended.log);
    let starts = house.journal().into_iter().filter(|line| line == "start orly-acl");
    assert_eq!(starts.count(), 1);
}

#[test]
fn a_stop_during_the_start_stops_what_runs() {
    let mut house = House::new();
    house.behave("orly-acl", "never ready");
    house.start();
    wait_for("access control to start", || {
        house.journal().contains(&"start orly-acl".to_owned()).then_some(())
    });
    assert_eq!(house.stop().code, Some(0));
    let expected =
        ["start orly-db-badger", "start orly-acl", "stop orly-acl", "stop orly-db-badger"];
    assert_eq!(house.journal(), expected);
}

#[test]
fn a_missing_program_or_a_busy_port_is_named_before_anything_starts() {
    let mut house = House::new();
    house.set("ORLY_LAUNCHER_RELAY_BINARY", "/nowhere/orly");
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(64));
    let expected = "ORLY_LAUNCHER_RELAY_BINARY=\"/nowhere/orly\": there is no program of this name";
    assert!(ended.log.contains(expected), "{}", ended.log);

    let mut house = House::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    house.set("ORLY_PORT", &listener.local_addr().unwrap().port().to_string());
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.log.contains("unit relay cannot listen on 127.0.0.1:"), "{}", ended.log);
    assert!(ended.log.contains("(ORLY_PORT): Address already in use"), "{}", ended.log);
    assert!(house.journal().is_empty());
}

#[test]
fn two_units_at_one_address_are_named_before_anything_starts() {
    let mut house = House::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let free = free.to_string();
    house.set("ORLY_LAUNCHER_DB_LISTEN", &free);
    house.set("ORLY_LAUNCHER_ACL_LISTEN", &free);
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(1));
    let expected = format!(
        "unit acl cannot listen on {free} (ORLY_LAUNCHER_ACL_LISTEN): unit db is to listen there \
         (ORLY_LAUNCHER_DB_LISTEN); name another address"
    );
    assert!(ended.log.contains(&expected), "{}", ended.log);
    assert!(house.journal().is_empty());
}

#[test]
fn a_second_launcher_is_refused_and_the_first_goes_on() {
    let house = House::started();
    let (code, text) = house.run(&[]);
    assert_eq!(code, Some(1));
    assert!(text.contains("another launcher is running"), "{text}");
    assert_eq!(house.status()["ready"], true);
}

#[test]
fn a_socket_that_was_left_behind_is_no_obstacle() {
    let mut house = House::started();
    let pids = UNITS.map(|(name, _)| house.pid_of(name));
    house.signal(Signal::SIGKILL);
    house.end();
    assert!(house.path("orly-launcher.sock").exists());
    pids.into_iter().for_each(wait_until_ended);
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
}
