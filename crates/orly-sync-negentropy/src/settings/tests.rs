use daemon::Environment;
use expect_test::expect_file;

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = Environment::of(variables.iter().copied());
    daemon::load(&environment).settings.map_err(|faults| faults.to_string())
}

#[test]
fn the_names_of_the_guide_and_of_the_original_are_taken() {
    for [listen, db_type, db_server] in [
        ["ORLY_LAUNCHER_SYNC_NEGENTROPY_LISTEN", "ORLY_DB_TYPE", "ORLY_GRPC_SERVER"],
        [
            "ORLY_SYNC_NEGENTROPY_LISTEN",
            "ORLY_SYNC_NEGENTROPY_DB_TYPE",
            "ORLY_SYNC_NEGENTROPY_DB_SERVER",
        ],
    ] {
        let settings =
            settings(&[(listen, ":7"), (db_type, "badger"), (db_server, "unix:/x")]).unwrap();
        assert_eq!(settings.listen.0.to_string(), "127.0.0.1:7");
        assert_eq!(settings.db_type, Database::Embedded);
        assert_eq!(settings.db_server.0.to_string(), "unix:/x");
    }
}

#[test]
fn values_that_make_no_sense_are_named() {
    let fault = |variable: &'static str, value| settings(&[(variable, value)]).unwrap_err();
    let expected = "badger (the store of this process) or grpc (a database service; orly-db-neo4j is the one for neo4j)";
    assert_eq!(
        fault("ORLY_DB_TYPE", "neo4j"),
        format!("ORLY_DB_TYPE=\"neo4j\": expected {expected}")
    );
    assert!(fault("ORLY_SYNC_NEGENTROPY_LISTEN", "nonsense").contains("127.0.0.1:50051"));
    assert!(fault("ORLY_SYNC_NEGENTROPY_ID_SIZE", "64").contains("8 to 32"));
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    expect_file!["../../../../docs/settings/orly-sync-negentropy.md"].assert_eq(&daemon::page::<
        Settings,
    >(
        "orly-sync-negentropy",
        "the reconciliation service",
        "",
    ));
}
