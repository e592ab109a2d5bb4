//! Dependencies point down (ARCHITECTURE.md): another arrow is a decision, and made there first.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Who may use whom. What is below a crate's own arrows it may use as well.
const ARROWS: [(&str, &[&str]); 22] = [
    ("event", &[]),
    ("reconcile", &["event"]),
    ("store", &["reconcile"]),
    ("store-lmdb", &["store"]),
    ("store-neo4j", &["store"]),
    ("relay-client", &["event"]),
    ("relay-sync", &["relay-client", "reconcile", "store"]),
    ("acl", &["relay-client", "store"]),
    ("relay", &["acl", "relay-sync", "store"]),
    ("rpc", &["acl", "relay-sync", "store"]),
    ("supervisor", &[]),
    ("daemon", &[]),
    ("service-settings", &["daemon", "relay-sync", "rpc"]),
    ("service-store", &["service-settings", "store-lmdb", "store-neo4j"]),
    ("orly", &["relay", "service-store"]),
    ("orly-db-badger", &["service-store"]),
    ("orly-db-neo4j", &["service-store"]),
    ("orly-acl", &["service-store"]),
    ("orly-sync-negentropy", &["service-store"]),
    ("orly-launcher", &["service-settings", "supervisor"]),
    // Drives relays of any make: it would prove little with ours inside.
    ("orly-bench", &["reconcile"]),
    ("appliance", &[]),
];

#[test]
fn every_arrow_points_down() {
    let packages = packages();
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(found, known, "each crate has its line in ARROWS, and in ARCHITECTURE.md");
    for (name, uses) in &packages {
        let allowed = below(name);
        for used in uses {
            assert!(
                allowed.contains(used.as_str()),
                "{name} uses {used}; ARCHITECTURE.md lets it use {allowed:?}"
            );
        }
    }
}

#[test]
fn members_are_listed_in_the_order_of_their_dependencies() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let list = manifest.split_once("members = [").unwrap().1.split_once(']').unwrap().0;
    let paths = list.lines().filter_map(|line| line.trim().trim_end_matches(',').split('"').nth(1));
    let order: Vec<_> = paths.map(|path| path.rsplit('/').next().unwrap()).collect();
    for (at, name) in order.iter().enumerate() {
        for used in &packages()[*name] {
            assert!(order[..at].contains(&used.as_str()), "{name} is listed before {used}");
        }
    }
}

/// All that a crate may use.
fn below(name: &str) -> BTreeSet<&'static str> {
    let arrows = ARROWS.iter().find(|(from, _)| *from == name).map(|(_, to)| *to);
    let arrows = arrows.unwrap_or_default();
    arrows.iter().flat_map(|to| below(to).into_iter().chain([*to])).collect()
}

/// The crates of the workspace, and which others of it they are made of. What their tests use does
/// not count.
fn packages() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let uses = |package: &Value| {
        let list = package["dependencies"].as_array().unwrap().iter();
        let own = list.filter(|used| used["path"].is_string() && used["kind"] != "dev");
        own.map(|used| text(&used["name"])).collect()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (text(&package["name"]), uses(package))).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
