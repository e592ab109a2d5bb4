use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::house::{House, UNITS, wait_until_ended};

#[test]
fn units_start_in_order_and_stop_in_reverse() {
    let mut house = House::started();
    let started = ["orly-db-badger", "orly-acl", "orly-sync-negentropy", "orly"];
    assert_eq!(house.journal(), started.map(|name| format!("start {name}")));
    let ended = house.stop();
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let stopped: Vec<String> = started.iter().rev().map(|name| format!("stop {name}")).collect();
    assert_eq!(house.journal()[4..], stopped);
    assert!(!house.path("orly-launcher.sock").exists());
}

#[test]
fn each_unit_that_is_killed_comes_back_and_the_others_go_on() {
    let mut house = House::started();
    for (name, _) in UNITS {
        let before = house.status();
        kill(house.pid_of(name), Signal::SIGKILL).unwrap();
        let begin = Instant::now();
        let after = house.wait_until("the unit to be back", |status| {
            House::unit(status, name)["restarts"] == 1 && status["ready"] == true
        });
        assert!(begin.elapsed() < Duration::from_secs(10));
        for (other, _) in UNITS.iter().filter(|(other, _)| *other != name) {
            assert_eq!(House::unit(&before, other)["pid"], House::unit(&after, other)["pid"]);
        }
    }
    assert_eq!(house.stop().code, Some(0));
}

#[test]
fn what_units_start_dies_with_them_and_with_the_launcher() {
    let mut house = House::new();
    house.behave("orly", "fork");
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let (child, escaped) = (house.noted_pid("child"), house.noted_pid("escaped"));
    kill(house.pid_of("relay"), Signal::SIGKILL).unwrap();
    wait_until_ended(child);
    assert_eq!(house.stop().code, Some(0));
    // It left the group of its unit, and was found all the same.
    wait_until_ended(escaped);
}

#[test]
fn units_stop_by_themselves_when_the_launcher_is_killed() {
    let mut house = House::started();
    let pids = UNITS.map(|(name, _)| house.pid_of(name));
    house.signal(Signal::SIGKILL);
    assert_eq!(house.end().code, Some(128 + 9));
    pids.into_iter().for_each(wait_until_ended);
    assert!(house.journal().contains(&"stop orly-db-badger".to_owned()));
}

#[test]
fn a_store_that_needs_its_time_is_not_killed_and_a_stubborn_relay_is() {
    let mut house = House::new();
    house.behave("orly-db-badger", "slow");
    house.behave("orly", "stubborn");
    house.set("ORLY_LAUNCHER_STOP_TIMEOUT", "2s");
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let ended = house.stop();
    assert_eq!(ended.code, Some(0));
    assert!(ended.log.contains("did not stop within 2s and was killed"), "{}", ended.log);
    assert!(!house.journal().contains(&"stop orly".to_owned()));
    assert_eq!(house.journal().last().unwrap(), "stop orly-db-badger");
}

#[test]
fn systemd_is_told_when_all_are_ready_and_when_the_end_begins() {
    let mut house = House::new();
    let path = house.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    house.set("NOTIFY_SOCKET", &path.display().to_string());
    house.set("WATCHDOG_USEC", "200000");
    house.start();
    let mut heard = Vec::new();
    let mut listen = |news: &str| {
        while !heard.contains(&news.to_owned()) {
            let mut buffer = [0; 64];
            let len = socket.recv(&mut buffer).unwrap();
            heard.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
        }
    };
    listen("READY=1");
    assert_eq!(house.status()["ready"], true);
    listen("WATCHDOG=1");
    house.signal(Signal::SIGTERM);
    listen("STOPPING=1");
    assert_eq!(house.end().code, Some(0));
    assert_eq!(heard.iter().filter(|news| *news == "READY=1").count(), 1, "units are not asked");
}
