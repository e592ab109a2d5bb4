//! The commands as a user runs them, against a small relay.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod relay;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use relay::Fault;
use serde_json::Value;
use tempfile::TempDir;

fn orly_bench(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orly-bench")).arg("--json").args(arguments).output().unwrap()
}

/// Runs a command that must succeed, and returns the sections of its report.
fn sections(arguments: &[&str]) -> Value {
    let output = orly_bench(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["sections"].take()
}

/// Runs a command that must end with exit code 1, and returns what it complains of.
fn problems(arguments: &[&str]) -> String {
    let output = orly_bench(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["problems"].to_string()
}

fn generate(directory: &Path, name: &str, options: &[&str]) -> PathBuf {
    let file = directory.join(name);
    let start = ["gen", "--count", "600", "--authors", "30", "--out", file.to_str().unwrap()];
    sections(&[&start[..], options].concat());
    file
}

fn url(fault: Fault) -> String {
    format!("ws://{}", relay::start(fault))
}

#[test]
fn ingested_events_answer_queries() {
    let directory = TempDir::new().unwrap();
    let file = generate(directory.path(), "events", &[]);
    let (file, url) = (file.to_str().unwrap(), url(Fault::None));

    let ingested = sections(&["ingest", &url, file, "--connections", "3", "--window", "7"]);
    assert_eq!(ingested["events"]["accepted"], 600.0);
    let again = sections(&["ingest", &url, file, "--skip", "500"]);
    assert_eq!(again["events"]["duplicate"], 100.0);

    let pid = std::process::id().to_string();
    let queried = sections(&[
        "query",
        &url,
        "--sample",
        file,
        "--duration",
        "20ms",
        "--connections",
        "2",
        "--pid",
        &pid,
    ]);
    assert_eq!(queried["id"]["events_per_query"], 1.0);
    assert_eq!(queried["ids-20"]["events_per_query"], 20.0);
    assert!(queried["kinds-500"]["p50_ms"].as_f64().unwrap() > 0.0);
    assert!(queried["server"]["rss_bytes"].as_f64().unwrap() > 0.0);
}

#[test]
fn refused_events_are_a_problem_with_a_reason() {
    let directory = TempDir::new().unwrap();
    let file = generate(directory.path(), "events", &[]);
    let problems = problems(&["ingest", &url(Fault::RefusesNotes), file.to_str().unwrap()]);
    assert!(problems.contains("blocked: no notes"), "{problems}");
}

#[test]
fn fan_out_counts_every_delivery() {
    let options = [
        "--subscribers",
        "60",
        "--authors",
        "20",
        "--rate",
        "0",
        "--count",
        "200",
        "--grace",
        "100ms",
    ];
    let whole = sections(&[&["fanout", &url(Fault::None)], &options[..]].concat());
    assert!(whole["fanout"]["deliveries"].as_f64().unwrap() > 100.0, "{whole}");
    assert_eq!(
        (&whole["fanout"]["lost"], &whole["fanout"]["unexpected"]),
        (&0.0.into(), &0.0.into())
    );

    let problems = problems(&[&["fanout", &url(Fault::LosesDeliveries)], &options[..]].concat());
    assert!(problems.contains("deliveries were lost"), "{problems}");
}

#[test]
fn idle_connections_are_opened_and_held() {
    let held = sections(&["conns", &url(Fault::None), "--count", "100", "--hold", "50ms"]);
    assert_eq!(held["connections"]["connections"], 100.0);
    assert_eq!(held["connections"]["lost"], 0.0);
    let sessions =
        sections(&["conns", &url(Fault::None), "--count", "10", "--hold", "1ms", "--negentropy"]);
    assert_eq!(sessions["connections"]["connections"], 10.0);
}

#[test]
fn reconciliation_finds_and_moves_the_difference() {
    let directory = TempDir::new().unwrap();
    let second = directory.path().join("second");
    let second = second.to_str().unwrap();
    let first =
        generate(directory.path(), "first", &["--public", "--diff", "5", "--out-b", second]);
    let (first, url) = (first.to_str().unwrap(), url(Fault::None));
    // The small relay replaces nothing, so notes only are compared.
    let notes = ["--filter", r#"{"kinds":[1]}"#];
    sections(&["ingest", &url, second]);

    let synced = sections(&[&["sync", &url, first, "--transfer"], &notes[..]].concat());
    assert_eq!(
        (&synced["reconcile"]["have"], &synced["reconcile"]["need"]),
        (&5.0.into(), &5.0.into())
    );
    assert_eq!(
        (&synced["download"]["events"], &synced["upload"]["accepted"]),
        (&5.0.into(), &5.0.into())
    );
    let again = sections(&[&["sync", &url, first, "--repeat", "3"], &notes[..]].concat());
    assert_eq!(
        (&again["reconcile"]["have"], &again["reconcile"]["need"]),
        (&0.0.into(), &5.0.into())
    );
}

#[test]
fn comparison_sets_two_relays_side_by_side() {
    let directory = TempDir::new().unwrap();
    let file = generate(directory.path(), "events", &[]);
    let (a, b) = (url(Fault::None), url(Fault::None));
    let compared = sections(&[
        "compare",
        &a,
        &b,
        "--pairs",
        "2",
        "ingest",
        file.to_str().unwrap(),
        "--count",
        "300",
    ]);
    assert_eq!(compared["events accepted"]["a"], 300.0);
    assert_eq!(compared["events accepted"]["b/a"], 1.0);
}

#[test]
fn command_is_measured_to_its_end() {
    let ran = sections(&["run", "--items", "10", "--", "true"]);
    assert!(ran["command"]["items_per_s"].as_f64().unwrap() > 0.0);
    assert!(problems(&["run", "--", "false"]).contains("exit status: 1"));
}

#[test]
fn unreachable_relay_fails_with_its_address() {
    let output = orly_bench(&["conns", "ws://127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("connect to ws://127.0.0.1:1/"));
}
