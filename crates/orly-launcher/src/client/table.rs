//! The appliance as a table for terminals.

use std::time::Duration;

use crate::clock::rough;
use crate::view::{Process, View};

/// Lines of output that are shown of a unit that fails.
const LINES: usize = 5;

/// The whole table.
pub(super) fn render(view: &View) -> String {
    let mut rows = vec![
        ["UNIT", "STATE", "PID", "UPTIME", "RESTARTS", "MEMORY", "CPU", "NOTE"].map(String::from),
    ];
    rows.extend(view.processes.iter().filter(|process| process.enabled).map(row));
    let widths: [usize; 8] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    for process in view.processes.iter().filter(|process| process.failures > 0) {
        text.push_str(&format!("\n{} wrote last:\n", process.name));
        let lines = &process.last_output;
        for line in &lines[lines.len().saturating_sub(LINES)..] {
            text.push_str(&format!("  {line}\n"));
        }
    }
    if let Some(warning) = view.disk.as_ref().and_then(|disk| disk.warning.as_ref()) {
        text.push_str(&format!("\n{warning}\n"));
    }
    text.push_str(&format!(
        "\norly-launcher {}, up {}, {}\n",
        view.version,
        view.uptime,
        overall(view)
    ));
    text
}

/// How all are, in a word; who was stopped is not waited for, but named.
fn overall(view: &View) -> String {
    let enabled = || view.processes.iter().filter(|process| process.enabled);
    let stopped: Vec<&str> =
        enabled().filter(|process| !process.wanted).map(|process| &*process.name).collect();
    match (view.ready, stopped.len()) {
        (false, _) => "not all ready".into(),
        (true, 0) => "all ready".into(),
        (true, some) if some == enabled().count() => "all stopped".into(),
        (true, _) => format!("ready, without {}", stopped.join(", ")),
    }
}

fn row(process: &Process) -> [String; 8] {
    let dash = || "-".to_owned();
    [
        process.name.clone(),
        process.state.clone(),
        if process.pid == 0 { dash() } else { process.pid.to_string() },
        process.uptime_seconds.map_or_else(dash, |seconds| rough(Duration::from_secs(seconds))),
        process.restarts.to_string(),
        process.memory_bytes.map_or_else(dash, megabytes),
        process.cpu_percent.map_or_else(dash, |percent| format!("{percent:.1}%")),
        process.note(),
    ]
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1 << 20);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::disk::Disk;

    fn process(name: &str, state: &str) -> Process {
        Process {
            name: name.into(),
            state: state.into(),
            enabled: state != "disabled",
            wanted: state != "stopped",
            ..Process::default()
        }
    }

    fn view(ready: bool, processes: Vec<Process>) -> View {
        View {
            version: "0.1.0".into(),
            uptime: "1h 1m".into(),
            uptime_seconds: 3700,
            services_running: true,
            ready,
            disk: None,
            processes,
        }
    }

    #[test]
    fn who_was_stopped_is_named() {
        let state = |states: [&str; 3]| {
            let [db, acl, relay] = states;
            let processes = vec![process("db", db), process("acl", acl), process("relay", relay)];
            overall(&view(true, processes))
        };
        assert_eq!(state(["ready", "disabled", "ready"]), "all ready");
        assert_eq!(state(["stopped", "ready", "ready"]), "ready, without db");
        assert_eq!(state(["stopped", "stopped", "ready"]), "ready, without db, acl");
        assert_eq!(state(["stopped", "disabled", "stopped"]), "all stopped");
    }

    #[test]
    fn a_crash_loop_is_shown_with_its_last_lines() {
        let db = Process {
            pid: 41,
            uptime_seconds: Some(3700),
            memory_bytes: Some(13_000_000),
            cpu_percent: Some(0.25),
            ..process("db", "ready")
        };
        let relay = Process {
            failures: 10,
            restarts: 9,
            last_failure: Some("exited with code 1".into()),
            retry_seconds: Some(55),
            last_output: (0..9).map(|n| format!("line {n}")).collect(),
            ..process("relay", "failed")
        };
        let view = View {
            disk: Some(Disk {
                path: "/data".into(),
                free_bytes: 0,
                total_bytes: 1,
                warning: Some("the disk is full".into()),
            }),
            ..view(false, vec![db, process("acl", "disabled"), relay])
        };
        expect![[r#"
            UNIT   STATE   PID  UPTIME  RESTARTS  MEMORY   CPU   NOTE
            db     ready   41   1h 1m   0         12.3 MB  0.2%
            relay  failed  -    -       9         -        -     crash loop: exited with code 1; 10 failures, again in 55s

            relay wrote last:
              line 4
              line 5
              line 6
              line 7
              line 8

            the disk is full

            orly-launcher 0.1.0, up 1h 1m, not all ready
        "#]]
        .assert_eq(&render(&view));
    }
}
