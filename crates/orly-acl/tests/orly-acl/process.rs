//! Starting, being ready, ending.

use nix::sys::signal::Signal;
use rpc::ServiceHealth;

use crate::house::{House, acl, beside};

const EMBEDDED: (&str, &str) = ("ORLY_ACL_DB_TYPE", "badger");

#[tokio::test(flavor = "multi_thread")]
async fn it_serves_until_it_is_told_to_end() {
    for mode in ["none", "follows", "managed", "curation"] {
        let house = House::new();
        let running = house.start_acl(&[EMBEDDED, ("ORLY_ACL_MODE", mode)]);
        house.comes_to(|health| *health == ServiceHealth::Serving).await;
        assert_eq!(running.end(Signal::SIGTERM), Some(0), "{}", house.log("orly-acl"));
        assert!(!house.path("acl.sock").exists(), "its socket is gone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_ready_before_its_event_store_answers() {
    let house = House::new();
    let _running = house.start_acl(&[("ORLY_ACL_MODE", "managed")]);
    house.comes_to(|health| matches!(health, ServiceHealth::NotServing(_))).await;
    let Some([db]) = beside(["orly-db-badger"]) else { return };
    let _db = house.start(&db, &[]);
    house.comes_to(|health| *health == ServiceHealth::Serving).await;
}

#[test]
fn settings_that_make_no_sense_end_the_start() {
    let house = House::new();
    for (variable, value) in
        [("ORLY_ACL_MODE", "social"), ("ORLY_ACL_LISTEN", "nonsense"), ("ORLY_OWNERS", "x")]
    {
        let running = house.start(acl(), &[EMBEDDED, (variable, value)]);
        assert_eq!(running.code(), Some(64));
        let log = house.log("orly-acl");
        assert!(log.contains(&format!("{variable}=\"{value}\": expected")), "{log}");
    }
}
