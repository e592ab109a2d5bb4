//! From the start of a process to its exit code.

use std::io::Write;
use std::num::NonZero;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;

use crate::signals::Signals;
use crate::{
    Environment, Findings, InvalidSettings, Loaded, Logging, ServiceManager, Settings, load,
};

/// The exit code for settings or a command line that make no sense; trying again does not help.
pub const EXIT_USAGE: u8 = 64;
/// How long threads that still run are waited for.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// What a process starts with.
#[derive(Debug)]
pub struct Start<S> {
    /// Its settings.
    pub settings: S,
    /// Cancelled when it is to end.
    pub shutdown: CancellationToken,
    /// To be told when clients may come.
    pub manager: ServiceManager,
}

/// How many threads the work of a process is done on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// On one, for a process that mostly waits: it takes less memory, and children that ask to be told when
    /// the thread that started them ends (PR_SET_PDEATHSIG) are told when the process does.
    One,
    /// On half as many as there are cores, for a process that asks or answers another one on the same host for
    /// all it does: with more they wait for each other's.
    Half,
    /// On as many as there are cores.
    All,
}

/// Runs a process: reads its settings, starts the log as `logging` says, and does its `work` on `threads`,
/// or on as many as the environment says with TOKIO_WORKER_THREADS if that is not one.
///
/// The exit code is 0, 1 if the work fails, or 64 if the settings are not valid; the reason is one line on
/// stderr. SIGTERM and SIGINT cancel `shutdown`, a second one ends the process at once.
pub fn run<S, W, F>(
    threads: impl FnOnce(&S) -> Threads,
    logging: impl FnOnce(&S, &Findings) -> Logging,
    work: W,
) -> ExitCode
where
    S: Settings,
    W: FnOnce(Start<S>) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    match start(threads, logging, work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let is_usage = error.is::<InvalidSettings>();
            // The reader of stderr may be gone; the exit code still tells.
            drop(writeln!(std::io::stderr(), "{error:#}"));
            ExitCode::from(if is_usage { EXIT_USAGE } else { 1 })
        }
    }
}

fn start<S, W, F>(
    threads: impl FnOnce(&S) -> Threads,
    logging: impl FnOnce(&S, &Findings) -> Logging,
    work: W,
) -> anyhow::Result<()>
where
    S: Settings,
    W: FnOnce(Start<S>) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    refuse_huge_pages();
    let environment = Environment::read();
    let Loaded { settings, findings } = load::<S>(&environment);
    let settings = settings?;
    logging(&settings, &findings).start();
    findings.log();
    let manager = ServiceManager::new(&environment);
    let mut runtime = builder(threads(&settings), &environment);
    let runtime = runtime.enable_all().build().context("start the runtime")?;
    let shutdown = CancellationToken::new();
    let result = runtime.block_on(async {
        let signals = Signals::listen()?;
        // Both run until the runtime ends, on its threads: the work may block this one.
        runtime.spawn(signals.run(shutdown.clone(), manager.clone()));
        runtime.spawn(manager.clone().watch());
        work(Start { settings, shutdown, manager }).await
    });
    runtime.shutdown_timeout(LAST_WAIT);
    result
}

fn builder(threads: Threads, environment: &Environment) -> Builder {
    if threads == Threads::One {
        return Builder::new_current_thread();
    }
    let mut builder = Builder::new_multi_thread();
    if threads == Threads::Half && environment.variable("TOKIO_WORKER_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        builder.worker_threads(cores.div_ceil(2));
    }
    builder
}

/// Keeps the allocator's memory in small pages: the first kilobyte used would otherwise take 2 MiB,
/// and an idle process nearly ten times its size.
fn refuse_huge_pages() {
    // A kernel that does not know the call has no such pages to give.
    let _unknown = nix::sys::prctl::set_thp_disable(true);
}
