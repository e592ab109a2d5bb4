//! `db check`: whether the event store agrees with itself.

use anyhow::{Context, bail};
use store_lmdb::Access;

use crate::event_store;
use crate::figures::grouped;
use crate::output::print;
use crate::progress::Progress;
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings) -> anyhow::Result<()> {
    let store = event_store::files(settings, Access::Read)?;
    let mut progress = Progress::start(None);
    progress.update(0, || "comparing indexes and summaries with the events".into());
    let report = tokio::task::spawn_blocking(move || store.check()).await;
    let report = report.context("check the event store")??;
    drop(progress);
    for example in &report.examples {
        print(example)?;
    }
    let (events, entries) = (grouped(report.events), grouped(report.entries));
    print(&format!(
        "{events} events, {entries} index entries, {} summary nodes",
        grouped(report.nodes)
    ))?;
    match report.faults {
        0 => print("no faults"),
        1 => bail!("1 fault"),
        faults => bail!("{} faults", grouped(faults)),
    }
}
