//! `orly import`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::house::{House, ids, jsonl, note, notes, real_events};

#[test]
fn plain_gzip_and_zstd_are_told_apart_by_their_bytes() {
    let text = jsonl(&notes(50));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let packed = [
        text.as_bytes().to_vec(),
        gzip.finish().unwrap(),
        zstd::encode_all(text.as_bytes(), 1).unwrap(),
    ];
    for bytes in packed {
        let house = House::new();
        let file = house.file("events", &bytes);
        let answer = house.run(&["import", &file]);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        assert!(answer.out.contains("\nstored      50"), "{answer:?}");
        assert_eq!(house.ids("{}").len(), 50);
        let piped = House::new();
        let answer = piped.run_on_input(&["import", "-"], &bytes);
        assert!(answer.out.contains("\nstored      50"), "{answer:?}");
    }
}

#[test]
fn bad_lines_are_reported_and_the_others_stored() {
    let house = House::new();
    let good = notes(3);
    let forged = jsonl(&good[..1]).replace("note 0", "note 9");
    let mut text = jsonl(&good).into_bytes();
    text.extend_from_slice(forged.as_bytes());
    text.extend_from_slice(b"\n{\"id\":1}\n\xff\nno event\r\n");
    let fresh = jsonl(&[note(1, 1, "x")]).replace("\"x\"", "\"y\"");
    text.extend_from_slice(fresh.as_bytes());
    let file = house.file("events", &text);
    let answer = house.run(&["import", &file]);
    assert_eq!(answer.code, Some(1));
    // The fourth line bears the id of the first, but is another event.
    let expected = "\
        line 4: id is not the hash of the event\n\
        line 6: id: expected a string at byte 6\n\
        line 7: not UTF-8\n\
        line 8: event: expected an object at byte 0\n\
        line 9: id is not the hash of the event\n\
        5 lines are no valid events\n";
    assert_eq!(answer.err, expected);
    assert!(
        answer
            .out
            .contains("\nstored      3\nbad         5\n  2 × id is not the hash of the event")
    );
    assert_eq!(house.run(&["import", "--lenient", &file]).code, Some(0));
    assert_eq!(house.ids("{}").len(), 3);
}

#[test]
fn only_the_first_bad_lines_are_shown() {
    let house = House::new();
    let file = house.file("events", "[]\n".repeat(100).as_bytes());
    let answer = house.run(&["import", &file]);
    assert_eq!(answer.err.lines().filter(|line| line.starts_with("line ")).count(), 20);
    assert!(answer.out.contains("100 × event: expected an object"), "{answer:?}");
}

#[test]
fn signatures_are_not_checked_when_told_so() {
    let house = House::new();
    let forged = jsonl(&notes(1)).replace("note 0", "note 9");
    let file = house.file("events", forged.as_bytes());
    assert_eq!(house.run(&["import", &file]).code, Some(1));
    assert_eq!(house.run(&["import", "--no-verify", &file]).code, Some(0));
    assert_eq!(house.ids("{}").len(), 1);
}

#[test]
fn what_becomes_of_each_event_is_counted() {
    let house = House::new();
    house.import(&notes(2));
    let events =
        [notes(3), vec![note(0, 20, "new"), note(0, 10, "old"), note(20_000, 5, "gone")]].concat();
    let file = house.file("events", jsonl(&events).as_bytes());
    let answer = house.run(&["import", &file]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let counts = "\nstored      2\nduplicate   2\nsuperseded  1\nephemeral   1\n";
    assert!(answer.out.ends_with(counts), "{answer:?}");
}

#[test]
fn a_missing_file_is_named() {
    let answer = House::new().run(&["import", "nothing.jsonl"]);
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.err, "open nothing.jsonl: No such file or directory (os error 2)\n");
}

#[test]
fn real_events_come_back_as_they_were() {
    let Some(events) = real_events() else { return };
    let house = House::new();
    let file = house.file("events", &events);
    let answer = house.run(&["import", &file]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let exported = house.run(&["export"]);
    let mut found = ids(&exported.out);
    let total = found.len();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), total);
    // Each comes back with its id, but for replaced versions.
    let mut given = ids(std::str::from_utf8(&events).unwrap());
    given.sort_unstable();
    assert!(found.iter().all(|id| given.binary_search(id).is_ok()));
    let again = House::new();
    let file = again.file("events", exported.out.as_bytes());
    assert_eq!(again.run(&["import", &file]).code, Some(0));
    assert_eq!(again.run(&["export"]).out, exported.out);
    assert_eq!(house.run(&["db", "check"]).code, Some(0));
}

#[test]
fn a_file_that_was_read_to_its_end_is_read_again() {
    let house = House::new();
    let file = house.file("events", jsonl(&notes(60)).as_bytes());
    assert_eq!(house.run(&["import", &file]).code, Some(0));
    let again = house.run(&["import", &file]);
    assert!(again.out.contains("duplicate   60"), "{again:?}");
}
