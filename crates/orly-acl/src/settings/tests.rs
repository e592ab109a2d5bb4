use daemon::Environment;
use expect_test::expect_file;

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = Environment::of(variables.iter().copied());
    daemon::load(&environment).settings.map_err(|faults| faults.to_string())
}

#[test]
fn the_names_of_the_original_are_taken() {
    let settings = settings(&[
        ("ORLY_ACL_LISTEN", ":7"),
        ("ORLY_ACL_DB_TYPE", "badger"),
        ("ORLY_ACL_GRPC_DB_SERVER", "unix:/x"),
        ("ORLY_ACL_MODE", "curation"),
        ("ORLY_RELAY_URL", "https://relay.example.com/"),
    ])
    .unwrap();
    assert_eq!(settings.listen.0.to_string(), "127.0.0.1:7");
    assert_eq!(settings.db_type, Database::Embedded);
    assert_eq!(settings.db_server.0.to_string(), "unix:/x");
    let access = settings.access_control();
    assert_eq!(access.mode, acl::Mode::Curating);
    assert_eq!(access.follows.own[0].as_str(), "wss://relay.example.com");
}

#[test]
fn values_that_make_no_sense_are_named() {
    let fault = |variable: &'static str, value| settings(&[(variable, value)]).unwrap_err();
    let expected = "badger (the store of this process) or grpc (a database service; orly-db-neo4j is the one for neo4j)";
    assert_eq!(
        fault("ORLY_ACL_DB_TYPE", "neo4j"),
        format!("ORLY_ACL_DB_TYPE=\"neo4j\": expected {expected}")
    );
    assert!(fault("ORLY_ACL_MODE", "social").contains("none, follows, managed or curating"));
    assert!(fault("ORLY_OWNERS", "npub1x").contains("npub1…"));
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    expect_file!["../../../../docs/settings/orly-acl.md"].assert_eq(&daemon::page::<Settings>(
        "orly-acl",
        "the access control service",
        "",
    ));
}
