//! `query`, `export`, `delete`, `info`, `db check`, `identity`.

use crate::house::{House, id_list, ids, jsonl, note, notes};

#[test]
fn query_prints_matching_events_newest_first() {
    let house = House::new();
    let events = notes(5);
    house.import(&events);
    let mut expected = id_list(&events);
    expected.reverse();
    assert_eq!(house.ids("{}"), expected);
    assert_eq!(house.ids(r#"{"limit":2}"#), expected[..2]);
    assert_eq!(house.ids(r#"{"since":1700000003}"#), expected[..2]);
    assert_eq!(house.run(&["query", "--count", r#"{"kinds":[1]}"#]).out, "5\n");
    let two = [r#"{"until":1700000000}"#, r#"{"since":1700000004}"#];
    let answer = house.run(&["query", two[0], two[1]]);
    assert_eq!(ids(&answer.out), [expected[4].as_str(), expected[0].as_str()]);
}

#[test]
fn a_filter_that_is_none_is_refused_before_anything_else() {
    let answer = House::new().run(&["query", r#"{"kinds":["x"]}"#]);
    assert_eq!(answer.code, Some(64));
    assert!(answer.err.contains("kinds: expected an unsigned integer at byte 10"), "{answer:?}");
}

#[test]
fn commands_that_read_say_when_there_is_no_store() {
    let house = House::new();
    for arguments in
        [&["query", "{}"][..], &["export"], &["info"], &["db", "check"], &["delete", "--all"]]
    {
        let answer = house.run(arguments);
        assert_eq!(answer.code, Some(1));
        let expected = format!(
            "no event store in {}/.local/share/ORLY: start the relay or import events first\n",
            house.path("").display().to_string().trim_end_matches('/')
        );
        assert_eq!(answer.err, expected);
    }
}

#[test]
fn export_writes_all_in_either_order_packed_or_not() {
    let house = House::new();
    let events = notes(300);
    house.import(&events);
    let mut newest_first = id_list(&events);
    newest_first.reverse();
    assert_eq!(ids(&house.run(&["export"]).out), newest_first);
    let oldest_first = house.run(&["export", "--reverse"]);
    assert_eq!(ids(&oldest_first.out), id_list(&events));
    let answer = house.run(&["export", "--reverse", "--zstd", "events.zst"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let packed = std::fs::read(house.path("events.zst")).unwrap();
    assert_eq!(zstd::decode_all(&packed[..]).unwrap(), oldest_first.out.as_bytes());
    assert!(!house.path("events.zst.part").exists());
}

#[test]
fn export_is_narrowed_by_filter_and_time() {
    let house = House::new();
    let events = notes(10);
    house.import(&[&events[..], &[note(7, 1_700_000_005, "+")]].concat());
    let times = ["--since", "1700000004", "--until", "2023-11-14T22:13:26Z"];
    let filter = ["--filter", r#"{"kinds":[1],"since":1}"#];
    for reverse in [&[][..], &["--reverse"]] {
        let arguments = [&["export"][..], &times, &filter, reverse].concat();
        let mut found = ids(&house.run(&arguments).out);
        found.sort_unstable();
        let mut expected = id_list(&events[4..=6]);
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
    let newest = house.run(&["export", "--reverse", "--filter", r#"{"kinds":[1],"limit":2}"#]);
    assert_eq!(ids(&newest.out), id_list(&events[8..]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let house = House::new();
    house.import(&notes(3000));
    let mut command = house.command(&["export"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_reader_that_goes_away_does_not_hide_a_failure() {
    let house = House::new();
    let file = house.file("events", b"no event\n");
    let mut command = house.command(&["import", &file]);
    let stderr = std::process::Stdio::null();
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(stderr).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn what_cannot_be_printed_is_a_failure() {
    let house = House::new();
    for arguments in [&["version"][..], &["env"]] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = house.command(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("write to standard output: No space left"), "{error}");
    }
}

#[test]
fn delete_removes_what_matches_and_keeps_it_out() {
    let house = House::new();
    let events = notes(10);
    house.import(&events);
    let filter = r#"{"until":1700000003}"#;
    let dry = house.run(&["delete", "--filter", filter, "--dry-run"]);
    assert_eq!(dry.out, "4 events would be removed\n");
    assert_eq!(house.ids("{}").len(), 10);
    let removed = house.run(&["delete", "--filter", filter]);
    assert_eq!((removed.code, removed.out.as_str()), (Some(0), "4 events removed\n"));
    house.import(&events);
    assert_eq!(house.ids("{}").len(), 6);
    let one = house.run(&["delete", "--filter", r#"{"limit":1}"#, "--dry-run"]);
    assert_eq!(one.out, "1 event would be removed\n");
    let forgotten = house.run(&["delete", "--all", "--forget"]);
    assert_eq!(forgotten.out, "6 events removed\n");
    house.import(&events);
    assert_eq!(house.ids("{}").len(), 6);
    assert_eq!(house.run(&["db", "check"]).code, Some(0));
}

#[test]
fn delete_wants_to_be_told_twice_to_remove_all() {
    let house = House::new();
    house.import(&notes(1));
    assert_eq!(house.run(&["delete"]).code, Some(64));
    let answer = house.run(&["delete", "--filter", "{}"]);
    assert_eq!(answer.code, Some(64));
    assert!(answer.err.contains("--all"), "{answer:?}");
    assert_eq!(house.ids("{}").len(), 1);
}

#[test]
fn info_counts_what_is_there() {
    let house = House::new();
    house.import(&notes(1234));
    let text = house.run(&["info"]).out;
    assert!(text.contains("events       1 234\nlast serial  1 234\n"), "{text}");
    let json = house.run(&["info", "--json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["events"], &json["last_serial"]), (&1234.into(), &1234.into()));
}

#[test]
fn check_counts_what_it_looked_at() {
    let house = House::new();
    house.import(&notes(10));
    let answer = house.run(&["db", "check"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(answer.out.starts_with("10 events, ") && answer.out.ends_with("no faults\n"));
}

#[test]
fn check_finds_events_that_are_not_what_their_id_says() {
    let house = House::new();
    let forged = jsonl(&notes(1)).replace("note 0", "note 9");
    let file = house.file("forged", forged.as_bytes());
    house.run(&["import", "--no-verify", &file]);
    let answer = house.run(&["db", "check"]);
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(answer.err, "1 fault\n");
}

#[test]
fn identity_is_made_once_and_its_secret_shown_on_demand() {
    let house = House::new();
    let first = house.run(&["identity"]).out;
    assert!(first.starts_with("npub npub1") && !first.contains("nsec"), "{first}");
    let second = house.run(&["identity", "--secret"]).out;
    assert!(second.starts_with(&first) && second.contains("\nnsec nsec1"), "{second}");
}
