//! `db backup`: copies that are complete, also while the relay runs.

use std::os::unix::fs::MetadataExt;

use nix::sys::signal::Signal;

use crate::house::{House, id_list, ids, notes};
use crate::serve::Running;

#[test]
fn a_copy_taken_beside_the_relay_holds_what_was_there() {
    let house = House::new();
    let relay = Running::start(&house, &[]);
    let events = notes(3000);
    house.import(&events[..2000]);
    let backup = house.run(&["db", "backup", "copy/"]);
    assert_eq!(backup.code, Some(0), "{backup:?}");
    assert!(backup.out.starts_with("2 000 events, "), "{backup:?}");
    assert!(backup.out.ends_with(" in copy/data.mdb\n"), "{backup:?}");
    house.import(&events[2000..]);
    assert_eq!(relay.end(Signal::SIGTERM).0, Some(0));

    let identity = house.run(&["identity"]).out;
    let copy = [("ORLY_DATA_DIR", "copy")];
    let check = house.run_with(&copy, &["db", "check"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    let mut expected = id_list(&events[..2000]);
    expected.reverse();
    assert_eq!(ids(&house.run_with(&copy, &["query", "{}"]).out), expected);
    assert_eq!(house.run_with(&copy, &["identity"]).out, identity);
    assert_eq!(house.path("copy/data.mdb").metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_copy_put_in_its_place_is_served_and_written_to() {
    let house = House::new();
    let events = notes(20);
    house.import(&events[..10]);
    assert_eq!(house.run(&["db", "backup", "copy.mdb"]).code, Some(0));
    std::fs::create_dir(house.path("restored")).unwrap();
    std::fs::copy(house.path("copy.mdb"), house.path("restored/data.mdb")).unwrap();
    let restored = [("ORLY_DATA_DIR", "restored")];
    house.file("more.jsonl", crate::house::jsonl(&events[10..]).as_bytes());
    assert_eq!(house.run_with(&restored, &["import", "more.jsonl"]).code, Some(0));
    assert_eq!(house.run_with(&restored, &["query", "--count", "{}"]).out, "20\n");
    assert_eq!(house.run_with(&restored, &["db", "check"]).code, Some(0));
    assert_eq!(house.ids("{}").len(), 10);
}

#[test]
fn the_copy_lacks_the_space_that_is_free() {
    let house = House::new();
    house.import(&notes(3000));
    house.run(&["delete", "--filter", r#"{"since":1700000010}"#, "--forget"]);
    assert_eq!(house.run(&["db", "backup", "copy/"]).code, Some(0));
    let len = |name: &str| house.path(name).metadata().unwrap().len();
    assert!(len("copy/data.mdb") * 4 < len(".local/share/ORLY/data.mdb"));
}

#[test]
fn nothing_is_replaced_and_nothing_half_made_is_left() {
    let house = House::new();
    house.import(&notes(5));
    house.file("kept", b"mine");
    let answer = house.run(&["db", "backup", "kept"]);
    assert_eq!(answer.code, Some(1));
    assert_eq!(answer.err, "kept exists: a backup replaces nothing\n");
    assert_eq!(std::fs::read(house.path("kept")).unwrap(), b"mine");

    house.file("copy.part", b"");
    let answer = house.run(&["db", "backup", "copy"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.starts_with("copy.part exists: another backup is writing it"), "{answer:?}");

    let answer = house.run(&["db", "backup", "absent/copy"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.starts_with("create absent/copy.part: No such file"), "{answer:?}");
    assert_eq!(House::new().run(&["db", "backup", "copy"]).code, Some(1));
}
