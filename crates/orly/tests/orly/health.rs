//! `health`: what a container asks of its relay.

use std::net::TcpListener;

use nix::sys::signal::Signal;

use crate::house::House;
use crate::serve::Running;

#[test]
fn a_relay_that_answers_is_well_until_it_has_ended() {
    let house = House::new();
    let relay = Running::start(&house, &[]);
    let port = relay.addr.rsplit(':').next().unwrap().to_owned();
    // All addresses are asked on this machine.
    for listen in ["127.0.0.1", "0.0.0.0"] {
        let answer = house.run_with(&[("ORLY_PORT", &port), ("ORLY_LISTEN", listen)], &["health"]);
        assert_eq!(answer.out, format!("127.0.0.1:{port} answers\n"), "{answer:?}");
        assert_eq!(answer.code, Some(0));
    }
    relay.end(Signal::SIGTERM);
    let answer = house.run_with(&[("ORLY_PORT", &port)], &["health"]);
    assert_eq!(answer.code, Some(1));
    let expected =
        format!("no relay on 127.0.0.1:{port} (ORLY_LISTEN, ORLY_PORT, ORLY_HEALTH_PORT): ");
    assert!(answer.err.starts_with(&expected), "{answer:?}");
}

#[test]
fn lists_of_addresses_are_told_from_an_ill_relay() {
    let house = House::new();
    let list = ("ORLY_IP_WHITELIST", "203.0.113.");
    let relay = Running::start(&house, &[list]);
    let port = relay.addr.rsplit(':').next().unwrap().to_owned();
    let answer = house.run_with(&[("ORLY_PORT", &port), list], &["health"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.err.contains("set ORLY_HEALTH_PORT"), "{answer:?}");
}

#[test]
fn whoever_never_answers_is_given_up() {
    let house = House::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let answer = house.run_with(&[("ORLY_HEALTH_PORT", &port)], &["health", "--timeout", "100ms"]);
    assert_eq!(answer.code, Some(1));
    let expected =
        format!("127.0.0.1:{port} did not answer GET /healthz within 100ms (--timeout)\n");
    assert_eq!(answer.err, expected);
}
