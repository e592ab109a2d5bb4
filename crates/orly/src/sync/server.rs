//! `sync --server`: a running reconciliation service does it, with its own event store.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rpc::{Address, PeerProgress, RemotePeerSync};
use serde_json::json;

use super::{Sync, eprint, filter};
use crate::figures::grouped;
use crate::output::print;
use crate::progress::Progress;

/// How long the service may take to become ready.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks the service, shows how far it is, and what it came to.
pub(super) async fn run(arguments: &Sync, server: &Address) -> anyhow::Result<()> {
    let started = Instant::now();
    let service = RemotePeerSync::new(server);
    service.wait_until_ready(PATIENCE).await.context("--server")?;
    let direction = arguments.direction;
    let mut steps = service.sync(&arguments.url, &filter(arguments), direction).await?;
    if !steps.is_direction_heeded {
        eprint(&format!(
            "this service decides itself which way events go, --dir {direction} is not heeded"
        ));
    }
    let mut progress = Progress::start(None);
    let mut last = PeerProgress::default();
    while let Some(step) = steps.next().await? {
        if arguments.verbose && step.rounds > last.rounds {
            let (have, need) = (
                grouped(step.have - last.have.min(step.have)),
                grouped(step.need - last.need.min(step.need)),
            );
            progress.note(&format!("round {}: have {have}, need {need}", step.rounds));
        }
        last = step;
        progress.update(last.fetched + last.sent, || text(&last));
    }
    drop(progress);
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        print(&as_json(arguments, &last, seconds))?;
    } else {
        print(&format!("{} · {seconds:.2} s", text(&last)))?;
    }
    match (last.error, last.is_complete) {
        (None, true) => Ok(()),
        (Some(error), _) => bail!("synchronise with {}: {error}", arguments.url),
        (None, false) => bail!("the service at {server} ended before the synchronisation did"),
    }
}

fn text(step: &PeerProgress) -> String {
    let PeerProgress { have, need, fetched, sent, rounds, .. } = step;
    let [have, need, fetched, sent] = [have, need, fetched, sent].map(|count| grouped(*count));
    format!("have {have}, need {need} · fetched {fetched} · sent {sent} · {rounds} rounds")
}

/// The names of what is synchronised here; what the service does not tell is left out.
fn as_json(arguments: &Sync, last: &PeerProgress, seconds: f64) -> String {
    json!({
        "peer": arguments.url.to_string(),
        "complete": last.is_complete && last.error.is_none(),
        "error": last.error,
        "have": last.have,
        "need": last.need,
        "fetched": last.fetched,
        "sent": last.sent,
        "rounds": last.rounds,
        "seconds": seconds,
    })
    .to_string()
}
