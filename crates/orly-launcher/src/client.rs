//! The commands, which talk to the launcher that runs.

mod table;

use std::io::{BufRead, BufReader, ErrorKind, IsTerminal, Write, stderr, stdout};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use daemon::{EXIT_USAGE, Environment, Loaded};

use crate::clock::rough;
use crate::command_line::Command;
use crate::control::{Reply, Request};
use crate::settings::Settings;
use crate::view::{Process, View};

/// How often a unit is looked at that is waited for.
const POLL: Duration = Duration::from_millis(50);
const WATCH: Duration = Duration::from_secs(1);
/// Longer than any unit may take to become ready or to stop.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a command.
pub(crate) fn run(command: &Command, socket: Option<PathBuf>) -> ExitCode {
    let Loaded { settings, findings } = daemon::load::<Settings>(&Environment::read());
    if matches!(command, Command::Env) {
        // Works whatever the settings are.
        for entry in &findings.entries {
            let name = entry.row.variable;
            if !matches!(name, "PATH" | "XDG_RUNTIME_DIR") {
                print(&format!("{:<60} # {}\n", format!("{name}={}", entry.value), entry.origin));
            }
        }
    }
    let settings = match settings {
        Ok(settings) => settings,
        Err(faults) => {
            complain(&faults.to_string());
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let socket = Client(socket.unwrap_or_else(|| settings.socket()));
    match socket.run(command) {
        Ok(is_good) if is_good => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

struct Client(PathBuf);

impl Client {
    /// Whether all is as it should be.
    fn run(&self, command: &Command) -> anyhow::Result<bool> {
        match command {
            Command::Status { watch: true, json } => loop {
                let view = self.status()?;
                let clear = if stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
                print(&format!("{clear}{}", shown(&view, *json)?));
                std::thread::sleep(WATCH);
            },
            Command::Status { watch: false, json } => {
                let view = self.status()?;
                print(&shown(&view, *json)?);
                Ok(view.ready)
            }
            Command::Start { unit } => {
                self.change(&Request::Start(unit.clone()))?;
                self.wait(unit.as_deref(), "ready")
            }
            Command::Stop { unit } => {
                self.change(&Request::Stop(unit.clone()))?;
                self.wait(unit.as_deref(), "stopped")
            }
            Command::Restart { unit } => {
                self.change(&Request::Restart(unit.clone()))?;
                self.wait(unit.as_deref(), "ready")
            }
            Command::Logs { unit, follow, lines } => self.logs(unit.clone(), *follow, *lines),
            Command::Login => match self.ask(&Request::Login)? {
                Reply::Session { token, url } => {
                    print(&format!("{url}/admin#token={token}\n"));
                    Ok(true)
                }
                reply => Err(unexpected(reply)),
            },
            Command::Env => Ok(true),
        }
    }

    fn status(&self) -> anyhow::Result<View> {
        match self.ask(&Request::Status)? {
            Reply::Status(view) => Ok(*view),
            reply => Err(unexpected(reply)),
        }
    }

    fn change(&self, request: &Request) -> anyhow::Result<()> {
        match self.ask(request)? {
            Reply::Done => Ok(()),
            reply => Err(unexpected(reply)),
        }
    }

    /// Waits until a unit, or each that is enabled, is in this state.
    fn wait(&self, unit: Option<&str>, state: &str) -> anyhow::Result<bool> {
        let begin = Instant::now();
        loop {
            let view = self.status()?;
            let is_meant = |process: &&Process| match unit {
                Some(unit) => process.is_called(unit),
                None => process.enabled && (process.wanted || state == "stopped"),
            };
            let meant: Vec<&Process> = view.processes.iter().filter(is_meant).collect();
            if meant.iter().all(|process| process.state == state)
                && (unit.is_none() || !meant.is_empty())
            {
                let names: Vec<&str> = meant.iter().map(|process| process.name.as_str()).collect();
                print(&format!("{}: {state} after {:.1?}\n", names.join(", "), begin.elapsed()));
                return Ok(true);
            }
            if let Some(process) = meant.iter().find(|process| process.state == "failed") {
                let lines: String =
                    process.last_output.iter().map(|line| format!("\n  {line}")).collect();
                bail!("{}: {}{lines}", process.name, process.note());
            }
            if begin.elapsed() > PATIENCE {
                bail!("not {state} after {}; `orly-launcher status` shows why", rough(PATIENCE));
            }
            std::thread::sleep(POLL);
        }
    }

    fn logs(&self, unit: Option<String>, follow: bool, lines: usize) -> anyhow::Result<bool> {
        let mut stream = self.connect()?;
        send(&mut stream, &Request::Logs { unit, lines, follow })?;
        for line in BufReader::new(stream).lines() {
            let reply: Reply = serde_json::from_str(&line.context("read the answer")?)?;
            let text = match reply {
                Reply::Line { unit, text } => format!("{unit:<11}| {text}\n"),
                Reply::LeftOut(count) => format!("… {count} lines left out: they came too fast\n"),
                reply => return Err(unexpected(reply)),
            };
            if stdout().write_all(text.as_bytes()).is_err() {
                break;
            }
        }
        Ok(true)
    }

    fn ask(&self, request: &Request) -> anyhow::Result<Reply> {
        let mut stream = self.connect()?;
        send(&mut stream, request)?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).context("read the answer")?;
        serde_json::from_str(&line).context("the launcher ended before it answered")
    }

    fn connect(&self) -> anyhow::Result<UnixStream> {
        connect(&self.0).map_err(|error| {
            let path = self.0.display();
            let reason = match error.kind() {
                ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                    "no launcher is running".into()
                }
                ErrorKind::PermissionDenied => {
                    "only the user that runs the launcher may do this".into()
                }
                _ => error.to_string(),
            };
            anyhow!("{path}: {reason} (--socket or ORLY_LAUNCHER_SOCKET name another socket)")
        })
    }
}

fn connect(path: &Path) -> std::io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    Ok(stream)
}

fn send(stream: &mut UnixStream, request: &Request) -> anyhow::Result<()> {
    let mut text = serde_json::to_string(request)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).context("ask the launcher")
}

fn unexpected(reply: Reply) -> anyhow::Error {
    match reply {
        Reply::Refused(reason) => anyhow!(reason),
        reply => anyhow!("the launcher answers {reply:?}: is it another version?"),
    }
}

fn shown(view: &View, json: bool) -> anyhow::Result<String> {
    if json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(view)?));
    }
    Ok(table::render(view))
}

/// Nobody may be reading.
fn print(text: &str) {
    drop(stdout().write_all(text.as_bytes()));
}

fn complain(text: &str) {
    drop(writeln!(stderr(), "{text}"));
}
