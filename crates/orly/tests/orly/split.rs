//! The relay on an event store in a process of its own, which comes and goes.

mod client;
mod database;

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::house::{self, House, notes};
use crate::serve::Running;

use client::Client;
use database::Database;

/// How soon all works again.
const A_SECOND: Duration = Duration::from_secs(1);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A relay on the database service of a house.
fn relay(house: &House, variables: &[(&str, &str)]) -> Running {
    let address = Database::address(house);
    let usual = [("ORLY_DB_TYPE", "grpc"), ("ORLY_GRPC_SERVER", address.as_str())];
    Running::start(house, &[&usual[..], variables].concat())
}

fn note(text: &str) -> event::Event {
    house::note(1, 1_700_000_000, text)
}

/// Tries again until it works, for `time`.
fn within(time: Duration, mut attempt: impl FnMut() -> bool) {
    let started = Instant::now();
    while !attempt() {
        assert!(started.elapsed() < time, "not within {time:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_relay_comes_up_before_its_event_store() {
    let house = House::new();
    let relay = relay(&house, &[]);
    let mut client = Client::connect(&relay.addr);
    let away = "error: the event store is away, try again shortly";
    let [first, second] = [note("first"), note("second")];
    assert_eq!(client.publish(&first), (false, away.into()));
    client.send(json!(["REQ", "s", {}]));
    assert_eq!(client.next(), json!(["CLOSED", "s", away]));
    client.send(json!(["COUNT", "c", {}]));
    assert_eq!(client.next(), json!(["CLOSED", "c", away]));
    assert!(relay.get("/healthz").starts_with("HTTP/1.1 503"));
    let database = Database::start(&house);
    within(A_SECOND, || client.publish(&first).0);
    within(A_SECOND, || relay.get("/healthz").starts_with("HTTP/1.1 200"));
    within(A_SECOND, || {
        client.send(json!(["REQ", "s", {}]));
        client.next()[2]["content"] == "first"
    });
    assert_eq!(client.next(), json!(["EOSE", "s"]));
    assert!(client.publish_unanswered(&second));
    client.expect_all(2, PATIENCE, |message| {
        message[0] == "OK" || message[0] == "EVENT" && message[2]["content"] == "second"
    });
    assert_eq!(relay.end(Signal::SIGTERM).0, Some(0));
    database.end();
}

#[test]
fn live_subscriptions_survive_a_killed_event_store() {
    let house = House::new();
    let mut database = Database::start(&house);
    for direct_reads in ["true", "false"] {
        let variables = [("ORLY_GRPC_DIRECT_READS", direct_reads)];
        let [here, there] = [relay(&house, &variables), relay(&house, &variables)];
        let mut follower = Client::connect(&there.addr);
        for number in 0..300 {
            follower.send(json!(["REQ", number.to_string(), {"kinds": [1], "limit": 0}]));
        }
        follower.expect_all(300, PATIENCE, |message| message[0] == "EOSE");
        let mut publisher = Client::connect(&here.addr);
        for round in 0..3 {
            let text = format!("{direct_reads} {round}");
            within(A_SECOND, || publisher.publish(&note(&text)).0);
            follower.expect_all(300, PATIENCE, |message| {
                message[0] == "EVENT" && message[2]["content"] == *text
            });
            database.kill();
            database = Database::start(&house);
        }
    }
    database.end();
}

#[test]
fn what_is_acknowledged_survives_a_killed_event_store() {
    let house = House::new();
    let mut database = Database::start(&house);
    let relay = relay(&house, &[]);
    let mut client = Client::connect(&relay.addr);
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        for number in 0..50 {
            let note = note(&format!("{round} {number}"));
            if number == 25 {
                database.kill();
                database = Database::start(&house);
            }
            within(A_SECOND, || client.publish(&note).0);
            acknowledged.push(note.as_ref().id().to_string());
        }
    }
    let ids = house.run_with(&database.variables(), &["query", "{}"]);
    for id in acknowledged {
        assert!(ids.out.contains(&id), "{id} is lost");
    }
    database.end();
}

#[test]
fn commands_work_over_the_service() {
    let house = House::new();
    let database = Database::start(&house);
    let relay = relay(&house, &[("ORLY_NEGENTROPY_ENABLED", "true")]);
    let run = |arguments: &[&str]| {
        let answer = house.run_with(&database.variables(), arguments);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.out
    };
    let notes = notes(20);
    let given: String = notes.iter().map(|note| note.as_ref().to_json() + "\n").collect();
    house.file("given.jsonl", given.as_bytes());
    let mut follower = Client::connect(&relay.addr);
    follower.send(json!(["REQ", "s", {"limit": 0}]));
    assert_eq!(follower.next(), json!(["EOSE", "s"]));
    assert!(run(&["import", "given.jsonl"]).contains("stored      20\n"));
    follower.expect_all(20, PATIENCE, |message| message[0] == "EVENT");
    assert_eq!(run(&["query", "--count", "{}"]), "20\n");
    run(&["export", "taken.jsonl"]);
    let taken = std::fs::read_to_string(house.path("taken.jsonl")).unwrap();
    assert_eq!(taken.lines().count(), 20);
    let info = run(&["info"]);
    assert!(
        info.contains("events       20\n") && info.contains("reading      its files"),
        "{info}"
    );
    assert_eq!(run(&["identity"]), run(&["identity"]));
    let elsewhere = House::new();
    elsewhere.import(&notes[..5]);
    let answer = elsewhere.run(&["sync", &format!("ws://{}", relay.addr)]);
    assert!(answer.out.contains("stored 15"), "{answer:?}");
    assert_eq!(run(&["delete", "--all"]), "20 events removed\n");
    let check = house.run_with(&database.variables(), &["db", "check"]);
    assert!(check.err.contains("ORLY_DB_TYPE=badger"), "{check:?}");
    database.end();
    let address = Database::address(&house);
    let variables = [
        ("ORLY_DB_TYPE", "grpc"),
        ("ORLY_GRPC_SERVER", address.as_str()),
        ("ORLY_GRPC_CONNECT_TIMEOUT", "0s"),
    ];
    let answer = house.run_with(&variables, &["query", "{}"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert!(answer.err.contains("is the database service running there?"), "{answer:?}");
}
