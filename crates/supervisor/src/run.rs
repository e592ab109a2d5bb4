//! One run of a unit: what goes on beside the supervisor while its process lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::handle::Message;
use crate::{Event, Health, Output, Probe, Process};

/// How soon after its start a unit is asked whether it is ready, and how rarely it comes to be.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LAST_PAUSE: Duration = Duration::from_millis(250);
/// How often a unit that is ready is asked, and one that did not answer.
const LIVENESS_INTERVAL: Duration = Duration::from_secs(10);
const DOUBT_INTERVAL: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the last lines may take to come through after the end.
const LAST_LINES: Duration = Duration::from_millis(250);

/// A run, by the numbers of the unit and of the run, and whom to tell about it.
#[derive(Clone)]
pub(crate) struct Reporter {
    pub(crate) unit: usize,
    pub(crate) run: u64,
    pub(crate) sender: mpsc::Sender<Message>,
}

impl Reporter {
    async fn tell(&self, event: Event) {
        // If the supervisor is gone, nobody needs to know.
        drop(self.sender.send(Message::Unit(self.unit, self.run, event)).await);
    }

    /// Waits for the end of the process; what it wrote before comes first.
    pub(crate) async fn watch(self, process: Process, output: Arc<Output>) {
        let mut readers = JoinSet::new();
        for pipe in process.output {
            let output = output.clone();
            readers.spawn(async move { output.pass_on(self.unit, pipe).await });
        }
        let ending = process.ending.await;
        if timeout(LAST_LINES, async { while readers.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::debug!("pipe is held by a process that outlived its unit");
        }
        self.tell(Event::Ended(ending)).await;
    }

    /// Asks the unit how it is until told to leave off.
    pub(crate) async fn ask(self, probe: Arc<dyn Probe>, leave_off: CancellationToken) {
        leave_off.run_until_cancelled_owned(self.keep_asking(probe)).await;
    }

    async fn keep_asking(self, probe: Arc<dyn Probe>) {
        let mut pause = FIRST_PAUSE;
        let mut was_ready = false;
        loop {
            let health = match timeout(PROBE_TIMEOUT, probe.probe()).await {
                Ok(health) => health,
                Err(_) => Health::Silent(format!("no answer within {PROBE_TIMEOUT:?}")),
            };
            was_ready |= health == Health::Serving;
            let is_silent = matches!(health, Health::Silent(_));
            self.tell(Event::Probed(health)).await;
            if was_ready {
                sleep(if is_silent { DOUBT_INTERVAL } else { LIVENESS_INTERVAL }).await;
            } else {
                sleep(pause).await;
                pause = (pause * 3 / 2).min(LAST_PAUSE);
            }
        }
    }
}
