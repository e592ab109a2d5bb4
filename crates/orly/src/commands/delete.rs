//! `delete`: removes the events that match.

use event::EventId;
use store::{Query, Tombstone};
use store_lmdb::Access;

use crate::command_line::Delete;
use crate::event_store;
use crate::figures::grouped;
use crate::output::print;
use crate::progress::Progress;
use crate::settings::Settings;

/// How many events are removed at once.
const BATCH: usize = 10_000;

pub(super) async fn run(settings: &Settings, arguments: &Delete) -> anyhow::Result<()> {
    let filter = arguments.filter.clone().unwrap_or_default();
    let access = if arguments.dry_run { Access::Read } else { Access::Write };
    let store = event_store::of_command(settings, access).await?;
    let tombstone = if arguments.forget { Tombstone::Forget } else { Tombstone::Keep };
    let mut rows = store.query(Query::by_operator(filter));
    let mut progress = Progress::start(None);
    let (mut found, mut removed) = (0, 0);
    let mut ids: Vec<EventId> = Vec::new();
    loop {
        let batch = rows.next().await?;
        let is_end = batch.is_none();
        ids.extend(batch.iter().flat_map(|batch| batch.iter().map(|(_, event)| event.id())));
        if ids.len() >= BATCH || is_end {
            found += ids.len() as u64;
            if !arguments.dry_run && !ids.is_empty() {
                removed += store.delete(&ids, tombstone).await?;
            }
            ids.clear();
            progress.update(found, || events(found));
        }
        if is_end {
            break;
        }
    }
    drop(progress);
    if arguments.dry_run {
        print(&format!("{} would be removed", events(found)))
    } else {
        print(&format!("{} removed", events(removed)))
    }
}

fn events(count: u64) -> String {
    match count {
        1 => "1 event".to_owned(),
        count => format!("{} events", grouped(count)),
    }
}
