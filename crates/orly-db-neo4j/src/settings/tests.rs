use daemon::Environment;
use expect_test::expect_file;

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = Environment::of(variables.iter().copied());
    daemon::load(&environment).settings.map_err(|faults| faults.to_string())
}

#[test]
fn the_server_is_where_it_is_usually_and_questions_are_off() {
    let settings = settings(&[]).unwrap();
    assert_eq!(settings.neo4j.uri.as_str(), "bolt://localhost:7687");
    assert_eq!((&*settings.neo4j.user, settings.neo4j.password.as_str()), ("neo4j", "password"));
    assert_eq!(settings.neo4j.max_conn_pool.get(), 25);
    assert!(!settings.cypher_enabled);
}

#[test]
fn another_engine_or_address_is_refused_and_the_relays_word_is_not() {
    assert!(settings(&[("ORLY_DB_TYPE", "grpc")]).is_ok());
    let message = settings(&[("ORLY_DB_TYPE", "badger")]).unwrap_err();
    let expected = "expected neo4j (orly-db-badger is the service for badger)";
    assert_eq!(message, format!("ORLY_DB_TYPE=\"badger\": {expected}"));
    let message = settings(&[("ORLY_NEO4J_URI", "http://localhost:7474")]).unwrap_err();
    assert!(message.contains("an address such as bolt://localhost:7687"), "{message}");
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    let about = "the event store as a service, on a Neo4j server";
    expect_file!["../../../../docs/settings/orly-db-neo4j.md"]
        .assert_eq(&daemon::page::<Settings>("orly-db-neo4j", about, ""));
}
