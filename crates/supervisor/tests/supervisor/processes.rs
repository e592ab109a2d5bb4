use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::house::{House, ended, script};

fn end(pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
}

/// Runs until it is told to stop, and stops at once.
const WILLING: &str = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done";

#[tokio::test]
async fn a_killed_unit_comes_back_as_another_process() {
    let house = House::open(vec![script("db", &[], WILLING), script("relay", &["db"], WILLING)]);
    let relay = house.ready("relay").await;
    let db = house.ready("db").await;
    end(db);
    let unit = house.wait_for("db", |unit| unit.state == "ready" && unit.restarts == 1).await;
    assert_ne!(unit.pid, Some(db));
    assert_eq!(unit.last_failure.unwrap().0, "was ended by SIGKILL");
    assert_eq!(house.ready("relay").await, relay);
    assert!(unit.usage.is_some_and(|usage| usage.memory > 0));
    house.close().await.unwrap();
}

#[tokio::test]
async fn a_unit_that_ignores_sigterm_is_killed_after_its_time() {
    let mut unit = script("a", &[], "trap '' TERM; echo ready; while :; do sleep 0.05; done");
    unit.stop_timeout = Duration::from_millis(300);
    let house = House::open(vec![unit]);
    let pid = house.ready("a").await;
    let begin = Instant::now();
    house.close().await.unwrap();
    let time = begin.elapsed();
    assert!(time >= Duration::from_millis(300) && time < Duration::from_secs(5), "{time:?}");
    ended(pid).await;
}

#[tokio::test]
async fn what_a_unit_started_dies_with_it() {
    let forks = "(trap '' TERM HUP; exec sleep 1000) & echo child $!; echo ready; wait";
    let house = House::open(vec![script("a", &[], forks)]);
    let pid = house.ready("a").await;
    let child: u32 = house.line("a", "child ").parse().unwrap();
    end(pid);
    ended(child).await;
    house.wait_for("a", |unit| unit.state == "ready" && unit.restarts == 1).await;
    let child: u32 = house.line("a", "child ").parse().unwrap();
    house.close().await.unwrap();
    ended(child).await;
}

#[tokio::test]
async fn a_flood_of_output_delays_nobody() {
    let flood = "echo ready; while :; do echo ready xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done";
    let endless = "echo ready; exec cat /dev/zero";
    let house = House::open(vec![
        script("flood", &[], flood),
        script("endless", &[], endless),
        script("calm", &["flood", "endless"], WILLING),
    ]);
    house.ready("calm").await;
    end(house.ready("calm").await);
    house.wait_for("calm", |unit| unit.state == "ready" && unit.restarts == 1).await;
    assert!(house.handle.output().last(Some("endless"), usize::MAX).len() <= 200);
    house.close().await.unwrap();
}

#[tokio::test]
async fn the_last_words_of_a_failed_start_are_told() {
    let house = House::open(vec![
        script("db", &[], "echo cannot open >&2; exit 3"),
        script("relay", &["db"], WILLING),
    ]);
    let error = house.ended.await.unwrap().unwrap_err();
    assert_eq!((error.code(), error.not_started), (Some(3), vec!["relay".to_owned()]));
    assert_eq!(error.last_lines, ["cannot open"; 3]);
}

#[tokio::test]
async fn a_file_that_is_no_program_is_named() {
    let mut unit = script("a", &[], "");
    unit.program = "/etc/passwd".into();
    let error = House::open(vec![unit]).ended.await.unwrap().unwrap_err();
    assert!(error.to_string().contains("cannot be started: Permission denied"), "{error}");
}

#[tokio::test]
async fn sighup_reaches_those_that_listen() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    if u64::from_str_radix(ignored.trim(), 16).unwrap() & 1 == 1 {
        // Under nohup no shell can listen.
        return;
    }
    let listens = "trap 'echo again' HUP; echo ready; while :; do sleep 0.05; done";
    let house = House::open(vec![script("a", &[], listens), script("b", &[], WILLING)]);
    let deaf = house.ready("b").await;
    house.ready("a").await;
    let mut lines = house.handle.output().follow();
    house.handle.hang_up().await.unwrap();
    let heard = async { while &*lines.recv().await.unwrap().text != "again" {} };
    tokio::time::timeout(Duration::from_secs(30), heard).await.unwrap();
    assert_eq!(house.ready("b").await, deaf);
    house.close().await.unwrap();
}

#[tokio::test]
async fn a_stop_during_the_start_leaves_nothing() {
    let house = House::open(vec![script("a", &[], "echo $$; exec sleep 1000")]);
    let unit = house.wait_for("a", |unit| unit.pid.is_some()).await;
    house.close().await.unwrap();
    ended(unit.pid.unwrap()).await;
}
