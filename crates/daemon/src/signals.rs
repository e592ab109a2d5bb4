//! SIGTERM and SIGINT: the first asks for an orderly end, the second ends at once.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::ServiceManager;

/// What a shell expects of a process that a signal ended.
const EXIT_SIGNAL: i32 = 128;

/// Signals this process listens to.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("listen to signals");
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
        })
    }

    /// Passes signals on for as long as the process runs.
    pub(crate) async fn run(mut self, shutdown: CancellationToken, manager: ServiceManager) {
        let (name, _) = self.next().await;
        tracing::info!(signal = name, "shut down; a second signal ends at once");
        manager.stopping();
        shutdown.cancel();
        let (name, number) = self.next().await;
        tracing::warn!(signal = name, "end at once");
        std::process::exit(EXIT_SIGNAL + number);
    }

    async fn next(&mut self) -> (&'static str, i32) {
        tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", SignalKind::terminate().as_raw_value()),
            _ = self.interrupt.recv() => ("SIGINT", SignalKind::interrupt().as_raw_value()),
        }
    }
}
