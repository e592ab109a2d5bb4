//! A disk that is full, and one that was.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tempfile::TempDir;

use super::{Publishing, missing};
use crate::house::{House, UNITS, wait_for};

/// A small disk, which goes away with the test.
struct Disk(TempDir);

impl Disk {
    /// `None`, and a word about it, where this process may not mount one.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=64m", "tmpfs"]).arg(directory.path());
        let reason = match mount.output() {
            Ok(output) if output.status.success() => return Some(Self(directory)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        eprintln!("skipped: no disk can be mounted for this test: {reason}");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room there is.
    fn fill(&self) {
        let mut file = File::create(self.path().join("in the way")).unwrap();
        let error = std::io::copy(&mut std::io::repeat(1), &mut file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    /// Gives it back.
    fn free(&self) {
        std::fs::remove_file(self.path().join("in the way")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What still has files open there ends soon.
        drop(Command::new("umount").arg("-l").arg(self.path()).status());
    }
}

/// The real services, with their data on this disk.
fn house_on(disk: &Disk) -> House {
    let mut house = House::real();
    house.set("ORLY_DATA_DIR", &disk.path().display().to_string());
    let socket = house.path("launcher.sock");
    house.set("ORLY_LAUNCHER_SOCKET", &socket.display().to_string());
    house
}

fn restarts(status: &Value, name: &str) -> u64 {
    House::unit(status, name)["restarts"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real services; `.ci/run faults` builds them and runs it"]
async fn it_is_named_stops_nothing_but_writing_and_loses_nothing() {
    let Some(disk) = Disk::mount() else { return };
    let mut house = house_on(&disk);
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let publishing = Publishing::start(house.url());
    publishing.wait_for_more();

    disk.fill();
    let place = disk.path().display();
    let said = format!("no room left on the disk of {place}: free some space");
    wait_for("the store to name the disk", || house.log().contains(&said).then_some(()));
    let status = house.wait_until("all goes on", |status| status["ready"] == true);
    assert!(UNITS.iter().all(|(name, _)| restarts(&status, name) == 0), "{status}");
    let (code, text) = house.run(&["status"]);
    let warning = format!("0 MB are left on the disk of {place}: free some space");
    assert!(code == Some(0) && text.contains(&warning), "{text}");

    // Who ends meanwhile comes back, and what was stored can be read.
    for (name, _) in UNITS {
        kill(house.pid_of(name), Signal::SIGKILL).unwrap();
        house.wait_until("a unit to be back", |status| {
            restarts(status, name) > 0 && status["ready"] == true
        });
    }
    let lost = missing(&house.url(), &publishing.acknowledged()).await;
    assert!(lost.is_empty(), "{lost:?}");

    disk.free();
    publishing.wait_for_more();
    let status = house.wait_until("all is ready", |status| status["ready"] == true);
    assert!(UNITS.iter().all(|(name, _)| restarts(&status, name) == 1), "{status}");
    let acknowledged = publishing.stop().await;
    assert_eq!(house.stop().code, Some(0));
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let lost = missing(&house.url(), &acknowledged).await;
    assert!(lost.is_empty(), "{} of {} events are lost", lost.len(), acknowledged.len());
    assert_eq!(house.stop().code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the real services; `.ci/run faults` builds them and runs it"]
async fn a_first_start_on_it_says_so_and_is_no_obstacle_to_the_next() {
    let Some(disk) = Disk::mount() else { return };
    let mut house = house_on(&disk);
    disk.fill();
    house.start();
    let ended = house.end();
    assert_eq!(ended.code, Some(1), "{}", ended.log);
    let expected = format!("open event store in {}: its disk is full", disk.path().display());
    let (_, last) = ended.log.split_once("unit db: exited with code 1; not started: ").unwrap();
    assert!(last.contains(&expected), "{}", ended.log);

    disk.free();
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    let publishing = Publishing::start(house.url());
    publishing.wait_for_more();
    let lost = missing(&house.url(), &publishing.stop().await).await;
    assert!(lost.is_empty(), "{lost:?}");
    assert_eq!(house.stop().code, Some(0));
}
