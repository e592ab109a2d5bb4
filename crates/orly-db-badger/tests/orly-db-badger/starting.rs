//! Starting it: command line, settings, and what stands in the way.

use std::os::unix::net::UnixDatagram;

use rpc::{ServiceHealth, ServiceKind, ServiceProbe};

use crate::house::House;
use crate::service::PATIENCE;

#[test]
fn help_and_version_are_no_failure_and_nonsense_is() {
    let house = House::new();
    let help = house.run(&[], &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&help.stdout).contains("ORLY_DB_STREAM_BATCH_SIZE=100"));
    let version = house.run(&[], &["--version"]);
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("orly-db-badger "));
    assert_eq!(house.run(&[], &["nonsense"]).status.code(), Some(64));
}

#[test]
fn a_bad_value_stops_the_start() {
    let house = House::new();
    let answer = house.run(&[("ORLY_DB_LISTEN", "nonsense"), ("ORLY_DB_TYPE", "neo4j")], &[]);
    assert_eq!(answer.status.code(), Some(64));
    assert_eq!(
        String::from_utf8_lossy(&answer.stderr),
        "ORLY_DB_LISTEN=\"nonsense\": expected an address such as 127.0.0.1:50051, :50051 (this machine \
         only) or unix:/run/orly/db.sock\n\
         ORLY_DB_TYPE=\"neo4j\": expected badger (orly-db-neo4j is the service for neo4j)\n"
    );
}

#[test]
fn a_taken_port_is_named() {
    let house = House::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let answer = house.run(&[("ORLY_DB_LISTEN", &address)], &[]);
    let text = String::from_utf8_lossy(&answer.stderr).into_owned();
    assert_eq!(answer.status.code(), Some(1));
    assert!(text.contains(&format!("ORLY_DB_LISTEN: listen to {address}")), "{text}");
}

#[tokio::test]
async fn it_says_when_it_is_ready() {
    let house = House::new();
    let path = house.path("notify.sock");
    let socket = UnixDatagram::bind(&path).unwrap();
    let service = house.start(&[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 64];
    let len = socket.recv(&mut buffer).unwrap();
    assert_eq!(&buffer[..len], b"READY=1");
    let probe = ServiceProbe::new(service.address.clone(), ServiceKind::Database);
    assert_eq!(probe.ask().await, ServiceHealth::Serving);
}
