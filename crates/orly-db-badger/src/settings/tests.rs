use daemon::Environment;
use expect_test::expect_file;

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = Environment::of(variables.iter().copied());
    daemon::load(&environment).settings.map_err(|faults| faults.to_string())
}

#[test]
fn it_listens_on_this_machine_unless_told_otherwise() {
    let listen = |variables| settings(variables).unwrap().service.listen.0.to_string();
    assert_eq!(listen(&[]), "127.0.0.1:50051");
    assert_eq!(listen(&[("ORLY_DB_LISTEN", ":7")]), "127.0.0.1:7");
    assert_eq!(listen(&[("ORLY_DB_LISTEN", "unix:/run/db.sock")]), "unix:/run/db.sock");
}

#[test]
fn another_engine_is_refused_and_the_relays_word_is_not() {
    assert!(settings(&[("ORLY_DB_TYPE", "grpc")]).is_ok());
    let message = settings(&[("ORLY_DB_TYPE", "neo4j")]).unwrap_err();
    let expected = "expected badger (orly-db-neo4j is the service for neo4j)";
    assert_eq!(message, format!("ORLY_DB_TYPE=\"neo4j\": {expected}"));
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    expect_file!["../../../../docs/settings/orly-db-badger.md"]
        .assert_eq(&daemon::page::<Settings>("orly-db-badger", "the event store as a service", ""));
}
