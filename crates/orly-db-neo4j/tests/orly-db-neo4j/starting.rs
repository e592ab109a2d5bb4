//! Starting it: settings, and what stands in the way.

use std::net::TcpListener;
use std::time::Duration;

use rpc::{ServiceHealth, ServiceKind, ServiceProbe};

use crate::house::{House, is_there};

/// How soon an operator is told what is wrong.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn help_is_no_failure_and_a_bad_value_stops_the_start() {
    let house = House::before("bolt://localhost", "neo4j", "");
    let help = house.run(&[], &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("ORLY_NEO4J_MAX_CONN_POOL=25"));
    let answer = house.run(&[("ORLY_NEO4J_URI", "nonsense"), ("ORLY_DB_TYPE", "badger")], &[]);
    assert_eq!(answer.status.code(), Some(64));
    let text = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert!(text.contains("ORLY_NEO4J_URI=\"nonsense\": expected an address such as"), "{text}");
    assert!(text.contains("orly-db-badger is the service for badger"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_named_and_waited_for() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let house = House::before(&format!("bolt://127.0.0.1:{port}"), "neo4j", "x");
    let service = house.begin(&[]);
    let text = format!("neo4j at 127.0.0.1:{port} does not answer");
    assert!(service.says(&text) < SOON, "{}", service.log());
    assert!(service.log().contains("ORLY_NEO4J_URI"), "{}", service.log());
    assert!(matches!(health(&service.address).await, ServiceHealth::NotServing(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_named_and_not_shown() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let wrong = House::before(house.uri(), "neo4j", "not-the-password");
    let service = wrong.begin(&[]);
    assert!(service.says("refuses user \"neo4j\"") < SOON, "{}", service.log());
    assert!(service.log().contains("ORLY_NEO4J_PASSWORD"), "{}", service.log());
    assert!(!service.log().contains("not-the-password"), "{}", service.log());
    assert!(matches!(health(&service.address).await, ServiceHealth::NotServing(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_when_the_server_answers() {
    if !is_there() {
        return;
    }
    let house = House::new().await;
    let service = house.start(&[]);
    assert_eq!(health(&service.address).await, ServiceHealth::Serving);
}

async fn health(address: &rpc::Address) -> ServiceHealth {
    ServiceProbe::new(address.clone(), ServiceKind::Database).ask().await
}
