use nix::sys::signal::{Signal, kill};

use crate::house::{House, wait_for};

#[test]
fn a_crash_loop_is_shown_with_the_last_lines() {
    let mut house = House::new();
    house.set("ORLY_LAUNCHER_CRASH_LOOP_AFTER", "3");
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    house.behave("orly", "crash");
    kill(house.pid_of("relay"), Signal::SIGKILL).unwrap();
    house.wait_until("a crash loop", |status| House::unit(status, "relay")["state"] == "failed");
    let (code, text) = house.run(&["status"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("crash loop: exited with code 3; 3 failures, again in"), "{text}");
    assert!(text.contains("relay wrote last:\n") && text.contains("  no space left\n"), "{text}");
    // What it needs is not touched, and a start is possible at once.
    house.behave("orly", "");
    let (code, text) = house.run(&["start", "relay"]);
    assert_eq!((code, text.starts_with("relay: ready after ")), (Some(0), true), "{text}");
    assert_eq!(house.run(&["status"]).0, Some(0));
}

#[test]
fn a_flood_of_output_neither_grows_the_launcher_nor_delays_others() {
    let mut house = House::new();
    house.behave("orly-sync-negentropy", "flood");
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    wait_for("a flood", || (house.log().len() > 10 << 20).then_some(()));
    kill(house.pid_of("db"), Signal::SIGKILL).unwrap();
    house.wait_until("the store to be back", |status| House::unit(status, "db")["restarts"] == 1);
    let status = std::fs::read_to_string(format!("/proc/{}/status", house.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches("kB").trim().parse().unwrap();
    // Without optimisation it begins with more than the finished program.
    assert!(peak < 64 << 10, "{peak} kB");
    assert_eq!(house.stop().code, Some(0));
}

#[test]
fn no_zombie_is_left() {
    let mut house = House::new();
    house.behave("orly", "fork");
    house.start();
    house.wait_until("all is ready", |status| status["ready"] == true);
    house.noted_pid("escaped");
    for _ in 0..3 {
        let escaped = std::fs::read_to_string(house.path("escaped")).unwrap();
        kill(house.pid_of("relay"), Signal::SIGKILL).unwrap();
        wait_for("another one to escape", || {
            let now = std::fs::read_to_string(house.path("escaped")).unwrap();
            (now != escaped && !now.is_empty()).then_some(())
        });
    }
    let own = house.pid().to_string();
    wait_for("zombies to be reaped", || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let stats =
            processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
        let mut fields = stats.map(|stat| stat.rsplit(')').next().unwrap_or_default().to_owned());
        let is_zombie = |fields: String| fields.starts_with(&format!(" Z {own} "));
        (!fields.any(is_zombie)).then_some(())
    });
    assert_eq!(house.stop().code, Some(0));
}
