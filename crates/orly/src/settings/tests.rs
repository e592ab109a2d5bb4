use std::path::PathBuf;

use daemon::Environment;
use expect_test::expect_file;

use super::*;

fn settings(variables: &[(&str, &str)]) -> Result<Settings, String> {
    let environment = Environment::of(variables.iter().copied());
    daemon::load(&environment).settings.map_err(|faults| faults.to_string())
}

#[test]
fn defaults_are_those_of_the_relay() {
    let settings = settings(&[("HOME", "/home/a")]).unwrap();
    let ours = settings.limits.relay(&settings.events, None);
    assert_eq!(format!("{ours:?}"), format!("{:?}", relay::Limits::default()));
    let guarding = settings.guarding.relay();
    assert_eq!(format!("{guarding:?}"), format!("{:?}", relay::Settings::default().guarding));
    assert_eq!(settings.store.data_dir, PathBuf::from("/home/a/.local/share/ORLY"));
    assert_eq!((settings.port, settings.health_port), (3334, 0));
}

#[test]
fn what_may_wait_follows_from_the_memory_there_is() {
    let waiting = |value: &str, memory| {
        let settings = settings(&[("ORLY_MAX_WAITING_MB", value)]).unwrap();
        settings.limits.relay(&settings.events, memory).waiting_bytes >> 20
    };
    assert_eq!(waiting("0", None), 256);
    assert_eq!(waiting("0", Some(128 << 20)), 64);
    assert_eq!(waiting("0", Some(8 << 30)), 256);
    assert_eq!(waiting("1000", Some(128 << 20)), 1000);
}

#[test]
fn limits_of_queries_are_numbers_with_zero_for_none() {
    let cases = [
        ("256", "10000", 256, 10_000),
        ("20000", "10000", 20_000, 20_000),
        ("0", "10000", u64::MAX, u64::MAX),
        ("256", "0", 256, u64::MAX),
    ];
    for (default, max, expected_default, expected_max) in cases {
        let limits = [("ORLY_QUERY_RESULT_LIMIT", default), ("ORLY_QUERY_MAX_LIMIT", max)];
        let settings = settings(&limits).unwrap();
        let limits = settings.limits.relay(&settings.events, None);
        assert_eq!((limits.default_limit, limits.max_limit), (expected_default, expected_max));
    }
}

#[test]
fn what_is_not_built_is_refused_with_what_is() {
    let cases = [
        ("ORLY_ACL_MODE", "paid", "none, follows, managed or curating"),
        ("ORLY_ACL_TYPE", "remote", "local or grpc"),
        ("ORLY_BOOTSTRAP_RELAYS", "a b", "addresses of relays, separated by commas, or none"),
        (
            "ORLY_IP_BLACKLIST",
            "10.300",
            "a list, separated by commas, each an address, a network such as 10.0.0.0/8, or the first \
             numbers of an address such as 10.1.",
        ),
        (
            "ORLY_DB_TYPE",
            "sqlite",
            "badger (the store of this process), neo4j (a server) or grpc (a database service)",
        ),
        ("ORLY_SYNC_TYPE", "remote", "local or grpc"),
        ("ORLY_GRPC_SYNC_NEGENTROPY", "50064", rpc::Address::EXPECTED),
        ("ORLY_TLS_DOMAINS", "a.example", "nothing: this is not built yet"),
        (
            "ORLY_POLICY_ENABLED",
            "true",
            "false: this is not built yet, and the relay would let through what it is to stop",
        ),
        ("ORLY_PORT", "abc", "a port number (0 to 65535)"),
        ("ORLY_MAX_FILTERS", "0", "a whole number (1 or more)"),
        ("ORLY_PING_INTERVAL", "0s", "a duration above 0, such as 250ms, 30s, 5m or 1h30m"),
        (
            "ORLY_OWNERS",
            "npub1x",
            "a list, separated by commas, each a public key (npub1… or 64 hex digits)",
        ),
        ("ORLY_RELAY_URL", "relay.example.com", "a URL such as wss://relay.example.com"),
    ];
    for (variable, value, expected) in cases {
        let message = settings(&[(variable, value)]).unwrap_err();
        assert_eq!(message, format!("{variable}={value:?}: expected {expected}"));
    }
}

#[test]
fn the_public_address_is_a_websocket_whatever_was_written() {
    for (text, url) in [
        ("https://relay.example.com/", "wss://relay.example.com"),
        ("http://localhost:3334", "ws://localhost:3334"),
        ("wss://relay.example.com/path", "wss://relay.example.com/path"),
    ] {
        assert_eq!(
            settings(&[("ORLY_RELAY_URL", text)]).unwrap().relay().about.url.as_deref(),
            Some(url)
        );
    }
}

#[test]
fn cors_is_off_unless_enabled_and_open_unless_narrowed() {
    let origins = |variables: &[(&str, &str)]| settings(variables).unwrap().relay().cors_origins;
    assert_eq!(origins(&[("ORLY_CORS_ORIGINS", "https://a.example")]), None);
    assert_eq!(origins(&[("ORLY_CORS_ENABLED", "true")]), Some(vec![]));
}

#[test]
fn the_page_in_docs_is_that_of_the_table() {
    let (what, more) =
        ("the relay process and its command line", "`orly env` shows what holds and why. ");
    expect_file!["../../../../docs/settings/orly.md"]
        .assert_eq(&daemon::page::<Settings>("orly", what, more));
}
