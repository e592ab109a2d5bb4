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
    let expected = "grpc (a database service, whatever its engine), or badger (the embedded store)";
    assert_eq!(
        fault("ORLY_DB_TYPE", "neo4j"),
        format!("ORLY_DB_TYPE=\"neo4j\": expected {expected}")
    );
    assert!(fault("ORLY_SYNC_NEGENTROPY_LISTEN", "nonsense").contains("127.0.0.1:50051"));
    assert!(fault("ORLY_SYNC_NEGENTROPY_ID_SIZE", "64").contains("8 to 32"));
}

#[test]
fn help_names_every_variable() {
    let help = help();
    assert!(help.contains("  ORLY_SYNC_NEGENTROPY_LISTEN=127.0.0.1:50064\n"), "{help}");
    assert!(help.contains("ORLY_SYNC_NEGENTROPY_FILTER_UNTIL="));
}

#[test]
fn no_variable_is_in_the_table_twice() {
    let mut names: Vec<&str> = Settings::TABLE.iter().map(|row| row.variable).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    let introduction = "\
        Environment variables of `orly-sync-negentropy`, the reconciliation service. They are read from the \
        environment, then from the file `$XDG_CONFIG_HOME/<ORLY_APP_NAME>/.env`. A value that is not allowed \
        stops the start with exit code 64. Lists are separated by commas; durations are written as in `30s`, \
        `5m`, `1h30m`; a variable that is empty counts as not set.\n\n\
        Made from `crates/orly-sync-negentropy/src/settings.rs` by \
        `UPDATE_EXPECT=1 cargo test -p orly-sync-negentropy`.";
    expect_file!["../../../../docs/settings/orly-sync-negentropy.md"]
        .assert_eq(&daemon::markdown::<Settings>("Settings of orly-sync-negentropy", introduction));
}
