//! `run`: what a command costs from start to end, such as an import, or a relay until it answers.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;

use crate::client::{Address, PATIENCE};
use crate::duration::parse_duration;
use crate::process::Server;
use crate::report::{Metric, Report, Section};
use crate::subscribers::{self, Opening};

const SAMPLING: Duration = Duration::from_millis(50);

/// Arguments of `run`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Feed this file to the command's standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) stdin: Option<PathBuf>,
    /// Where the command's errors and logs go [default: to ours].
    #[arg(long, value_name = "FILE")]
    pub(crate) stderr: Option<PathBuf>,
    /// How many items the command works on, for the rates.
    #[arg(long)]
    pub(crate) items: Option<u32>,
    /// The command is a relay: measure until it answers a REQ here, let it idle, then stop it (SIGTERM).
    #[arg(long, value_name = "URL")]
    pub(crate) answers: Option<Address>,
    /// With --answers: the filter of that REQ.
    #[arg(long, default_value = r#"{"kinds":[1],"limit":1}"#, value_name = "JSON")]
    pub(crate) filter: String,
    /// With --answers: how long the relay idles before its memory is read.
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    pub(crate) idle: Duration,
    /// Then print what this directory takes on the disk.
    #[arg(long, value_name = "DIR")]
    pub(crate) disk: Option<PathBuf>,
    /// The command and its arguments. Its standard output is not shown.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "COMMAND"
    )]
    pub(crate) command: Vec<OsString>,
}

/// Runs the command and measures.
pub(crate) fn run(options: &Options, runtime: &tokio::runtime::Runtime) -> anyhow::Result<Report> {
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let started = Instant::now();
    let mut child = start(options)?;
    let (status, particular) = match &options.answers {
        Some(address) => runtime.block_on(serve(&mut child, address, options, started))?,
        None => wait_and_sample(&mut child)?,
    };
    let seconds = started.elapsed().as_secs_f64();
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;

    let cpu = cpu_seconds(&after) - cpu_seconds(&before);
    let peak_kib = u32::try_from(after.max_rss()).unwrap_or(u32::MAX);
    let mut section = Section::new("command").with(particular).with([
        Metric::seconds("time", seconds),
        Metric::seconds("cpu", cpu),
        Metric::bytes("peak_rss", f64::from(peak_kib) * 1024.0),
    ]);
    if let Some(items) = options.items.map(f64::from) {
        let rate = Metric::per_second("items", items / seconds);
        section = section.with([rate, Metric::millis("cpu_per_item", cpu * 1e3 / items.max(1.0))]);
    }
    if let Some(directory) = &options.disk {
        section = section.with([Metric::bytes("disk", disk_usage(directory)? as f64)]);
    }
    let mut report = Report::new("run", &options.command.join(" ".as_ref()).display().to_string());
    // A relay that leaves SIGTERM to its default ends by it, as asked.
    let ended_as_asked =
        options.answers.is_some() && status.signal() == Some(Signal::SIGTERM as i32);
    if !status.success() && !ended_as_asked {
        report.problems.push(format!("the command ended with {status}"));
    }
    report.push(section);
    Ok(report)
}

fn start(options: &Options) -> anyhow::Result<Child> {
    let (program, arguments) = options.command.split_first().context("no command given")?;
    let stdin = match &options.stdin {
        Some(path) => File::open(path).with_context(|| format!("open {}", path.display()))?.into(),
        None => Stdio::null(),
    };
    let mut command = Command::new(program);
    command.args(arguments).stdin(stdin).stdout(Stdio::null());
    if let Some(path) = &options.stderr {
        command.stderr(File::create(path).with_context(|| format!("create {}", path.display()))?);
    }
    command.spawn().with_context(|| format!("start {}", program.display()))
}

/// Measures a relay until its first answer and while it idles, and stops it.
async fn serve(
    child: &mut Child,
    address: &Address,
    options: &Options,
    started: Instant,
) -> anyhow::Result<(ExitStatus, Vec<Metric>)> {
    let served = wait_for_answer(child, address, options, started).await;
    let asked_to_stop = Instant::now();
    // It fails if the relay has ended already, and then `served` says so.
    let _ = kill(Pid::from_raw(child.id().try_into()?), Signal::SIGTERM);
    let status = child.wait().context("wait for the relay's end")?;
    let mut metrics = served?;
    metrics.push(Metric::millis("stop", asked_to_stop.elapsed().as_secs_f64() * 1e3));
    Ok((status, metrics))
}

/// Waits for the first answer, lets the relay idle, and reads its memory.
async fn wait_for_answer(
    child: &mut Child,
    address: &Address,
    options: &Options,
    started: Instant,
) -> anyhow::Result<Vec<Metric>> {
    let filters = [options.filter.clone()];
    let subscribers = loop {
        match subscribers::open_all(address, &filters, Opening::Subscription).await {
            Ok(subscribers) => break subscribers,
            Err(error) if started.elapsed() > PATIENCE => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
        if let Some(status) = child.try_wait()? {
            bail!("the relay ended with {status} before it answered");
        }
    };
    let answered = started.elapsed();
    drop(subscribers);
    tokio::time::sleep(options.idle).await;
    let usage = Server::new(child.id())?.usage()?;
    Ok(vec![
        Metric::millis("first_answer", answered.as_secs_f64() * 1e3),
        Metric::bytes("idle_rss", usage.rss as f64),
        Metric::bytes("idle_anonymous_rss", usage.anonymous as f64),
    ])
}

/// Waits for the end, and reads the anonymous memory on the way.
fn wait_and_sample(child: &mut Child) -> anyhow::Result<(ExitStatus, Vec<Metric>)> {
    let server = Server::new(child.id())?;
    thread::scope(|scope| {
        let (ended, wait): (Sender<()>, _) = channel();
        let sampler = scope.spawn(move || {
            let mut peak = 0;
            while wait.recv_timeout(SAMPLING) == Err(RecvTimeoutError::Timeout) {
                peak = peak.max(server.usage().map_or(0, |usage| usage.anonymous));
            }
            peak
        });
        let status = child.wait();
        drop(ended);
        let peak = sampler.join().expect("reading /proc does not panic");
        Ok((status?, vec![Metric::bytes("peak_anonymous_rss", peak as f64)]))
    })
}

fn cpu_seconds(usage: &Usage) -> f64 {
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    micros as f64 / 1e6
}

/// Blocks in use, as `du` counts them: databases are sparse files.
fn disk_usage(path: &Path) -> anyhow::Result<u64> {
    let metadata =
        fs::symlink_metadata(path).with_context(|| format!("read {}", path.display()))?;
    let mut bytes = metadata.blocks() * 512;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            bytes += disk_usage(&entry?.path())?;
        }
    }
    Ok(bytes)
}
