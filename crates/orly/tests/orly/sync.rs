//! Two event stores made equal from the command line, and by relays that know each other.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::house::{House, id_list, note, notes};
use crate::serve::Running;

const NEGENTROPY: (&str, &str) = ("ORLY_NEGENTROPY_ENABLED", "true");

/// Here with ten notes, there a relay with five of them and five others.
fn neighbours() -> (House, House, Running) {
    let (here, there) = (House::new(), House::new());
    let notes = notes(15);
    here.import(&notes[..10]);
    there.import(&notes[5..]);
    let relay = Running::start(&there, &[NEGENTROPY]);
    (here, there, relay)
}

#[test]
fn each_direction_moves_what_it_says_and_tells_it() {
    let (here, there, relay) = neighbours();
    let url = format!("ws://{}", relay.addr);
    let sync = |direction| {
        let answer = here.run(&["sync", &url, "--dir", direction]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.out
    };
    assert!(sync("none").starts_with("have 5, need 5 · "));
    assert_eq!((here.ids("{}").len(), there.ids("{}").len()), (10, 10));
    assert!(sync("up").contains(" · sent 5, accepted 5 · "));
    assert_eq!((here.ids("{}").len(), there.ids("{}").len()), (10, 15));
    assert!(sync("down").contains(" · fetched 5, stored 5 · "));
    assert_eq!(here.ids("{}"), there.ids("{}"));
    assert!(sync("both").starts_with("have 0, need 0 · "));
    relay.end(Signal::SIGTERM);
}

#[test]
fn down_is_the_usual_and_works_beside_a_running_relay() {
    let (here, _there, relay) = neighbours();
    let own = Running::start(&here, &[]);
    let answer = here.run(&["sync", &format!("ws://{}", relay.addr)]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert_eq!(here.ids("{}").len(), 15);
    own.end(Signal::SIGTERM);
    relay.end(Signal::SIGTERM);
}

#[test]
fn differences_are_printed_a_line_each() {
    let (here, _there, relay) = neighbours();
    let url = format!("ws://{}", relay.addr);
    let answer = here.run(&["sync", &url, "--dir", "none", "--print-missing"]);
    let notes = notes(15);
    let lines = |word, notes: &[event::Event]| {
        id_list(notes).into_iter().map(move |id| format!("{word},{id}"))
    };
    let mut expected: Vec<String> =
        lines("have", &notes[..5]).chain(lines("need", &notes[10..])).collect();
    let mut found: Vec<&str> = answer.out.lines().collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
    relay.end(Signal::SIGTERM);
}

#[test]
fn a_filter_and_times_narrow_it_and_json_tells_all() {
    let (here, _there, relay) = neighbours();
    let url = format!("ws://{}", relay.addr);
    let since = "1700000012";
    let answer =
        here.run(&["sync", &url, "--filter", r#"{"kinds":[1]}"#, "--since", since, "--json"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let outcome: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!((&outcome["need"], &outcome["stored"]), (&3.into(), &3.into()));
    assert_eq!((&outcome["complete"], &outcome["error"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(here.ids("{}").len(), 13);
    relay.end(Signal::SIGTERM);
}

#[test]
fn what_is_refused_is_told_and_is_a_failure() {
    let (here, there) = (House::new(), House::new());
    let note = note(1, 1_700_000_000, "x");
    here.import(std::slice::from_ref(&note));
    there.import(std::slice::from_ref(&note));
    let id = note.as_ref().id().to_string();
    there.run(&["delete", "--filter", &format!(r#"{{"ids":["{id}"]}}"#)]);
    let relay = Running::start(&there, &[NEGENTROPY]);
    let answer = here.run(&["sync", &format!("ws://{}", relay.addr), "--dir", "up"]);
    assert_eq!(
        (answer.code, answer.err.as_str()),
        (Some(1), "1 event was not moved\n"),
        "{answer:?}"
    );
    assert!(
        answer.out.contains("\n  not accepted: 1 (blocked: this event was deleted)\n"),
        "{answer:?}"
    );
    relay.end(Signal::SIGTERM);
}

#[test]
fn a_relay_that_does_not_reconcile_is_told_in_plain_words() {
    let (here, there) = (House::new(), House::new());
    let relay = Running::start(&there, &[]);
    let url = format!("ws://{}", relay.addr);
    let answer = here.run(&["sync", &url]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.contains("the relay does not speak NIP-77"), "{answer:?}");
    relay.end(Signal::SIGTERM);
    let answer = here.run(&["sync", &url]);
    assert_eq!(answer.code, Some(1));
    let expected = format!(
        "synchronise with {url}: cannot connect to {url}: Connection refused (os error 111)"
    );
    assert!(answer.err.starts_with(&expected), "{answer:?}");
}

#[test]
fn something_else_at_the_address_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let _length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let answer = House::new().run(&["sync", &url]);
    assert!(
        answer.err.contains("it answers HTTP 404 Not Found instead of opening a WebSocket"),
        "{answer:?}"
    );
    server.join().unwrap();
}

#[test]
fn a_key_is_taken_from_a_file_or_refused_without_being_shown() {
    let (here, there) = (House::new(), House::new());
    there.import(&notes(3));
    let relay = Running::start(&there, &[NEGENTROPY, ("ORLY_AUTH_REQUIRED", "true")]);
    let url = format!("ws://{}", relay.addr);
    let answer = here.run(&["sync", &url]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.contains("the relay wants authentication"), "{answer:?}");
    assert!(answer.err.contains("give a key the relay knows"), "{answer:?}");
    let file = here.file("key", format!("{}\n", "07".repeat(32)).as_bytes());
    assert_eq!(here.run(&["sync", &url, "--key", &file]).code, Some(0));
    assert_eq!(here.ids("{}").len(), 3);
    let answer = here.run(&["sync", &url, "--key", "nsec1secret"]);
    assert_eq!(answer.code, Some(1));
    assert!(!answer.err.contains("nsec1secret"), "{answer:?}");
    relay.end(Signal::SIGTERM);
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let house = House::new();
    for arguments in [
        &["sync"][..],
        &["sync", "ftp://x"],
        &["sync", "wss://x", "--dir", "left"],
        &["sync", "wss://x", "--frame-size-limit", "2048"],
        &["sync", "wss://x", "--filter", "{"],
        &["sync", "wss://x", "--json", "--print-missing"],
    ] {
        assert_eq!(house.run(arguments).code, Some(64), "{arguments:?}");
    }
}

#[test]
fn relays_that_know_each_other_stay_in_step() {
    let (_here, there, peer) = neighbours();
    let third = House::new();
    let url = format!("ws://{}", peer.addr);
    let variables =
        [("ORLY_SYNC_NEGENTROPY_PEERS", url.as_str()), ("ORLY_SYNC_NEGENTROPY_INTERVAL", "1s")];
    third.import(&[note(1, 1_700_000_500, "of the third")]);
    let relay = Running::start(&third, &variables);
    let started = Instant::now();
    while third.ids("{}") != there.ids("{}") {
        assert!(started.elapsed() < Duration::from_secs(20), "they are not in step");
    }
    assert_eq!(third.ids("{}").len(), 11);
    relay.end(Signal::SIGTERM);
    peer.end(Signal::SIGTERM);
}
