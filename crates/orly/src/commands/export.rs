//! `export`: writes events to a file, in batches, so that any number fits.

use std::path::Path;

use anyhow::Context;
use event::{EventRef, Filter, Timestamp};
use store::{EventBatch, EventStore, Query, Rows};
use store_lmdb::Access;

use crate::command_line::Export;
use crate::event_store;
use crate::figures::grouped;
use crate::output::Output;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::time::narrowed;

/// When oldest first, a span of time is read newest first and turned round; it holds at most this
/// many bytes, unless a single second does.
const SPAN_BYTES: usize = 64 << 20;
/// The first span of time that is tried, in seconds.
const FIRST_SPAN: u64 = 1 << 20;

pub(super) async fn run(settings: &Settings, arguments: &Export) -> anyhow::Result<()> {
    let store = event_store::of_command(settings, Access::Read).await?;
    let filter = arguments.filter.clone().unwrap_or_default();
    let filter = narrowed(filter, arguments.since, arguments.until);
    let mut output = Output::create(&arguments.file, arguments.zstd)?;
    let is_counted = filter.is_kinds_and_time() && filter.limit.is_none();
    let query = Query::by_operator(filter.clone());
    let total = if is_counted { Some(store.count(&query).await?) } else { None };
    let mut progress = Progress::start(total);
    let mut done = 0;
    let tell = |written: u64| {
        done += written;
        progress.update(done, || format!("{} events", grouped(done)));
    };
    if arguments.reverse {
        write_oldest_first(&*store, filter, &mut output, tell).await?;
    } else {
        write_rows(store.query(query).as_mut(), &mut output, tell).await?;
    }
    output.finish()?;
    if arguments.file != Path::new("-") {
        progress.note(&format!("{} events written to {}", grouped(done), arguments.file.display()));
    }
    Ok(())
}

/// Writes an answer as it comes; `tell` hears how many events each batch had.
pub(super) async fn write_rows(
    rows: &mut dyn Rows,
    output: &mut Output,
    mut tell: impl FnMut(u64),
) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    while let Some(batch) = rows.next().await? {
        lines.clear();
        batch.iter().for_each(|(_, event)| push_line(&mut lines, event));
        output.write(&lines).context("write events")?;
        tell(batch.len() as u64);
    }
    Ok(())
}

/// Writes the oldest events first: one span of time after the other, each turned round. A limit still
/// means the newest.
async fn write_oldest_first(
    store: &dyn EventStore,
    mut filter: Filter,
    output: &mut Output,
    mut tell: impl FnMut(u64),
) -> anyhow::Result<()> {
    if let Some(limit) = filter.limit.take() {
        let oldest = Filter { limit: Some(limit), ..filter.clone() };
        let Some(batches) = read(store, oldest, usize::MAX).await? else { return Ok(()) };
        return write_reversed(&batches, output, &mut tell);
    }
    let newest = Filter { limit: Some(1), ..filter.clone() };
    let newest = read(store, newest, usize::MAX).await?.unwrap_or_default();
    let newest = newest.first().and_then(|batch| batch.iter().next());
    let Some(end) = newest.map(|(_, event)| event.created_at()) else { return Ok(()) };
    let mut since = filter.since.unwrap_or_default();
    let mut span = FIRST_SPAN;
    while since <= end {
        let until = Timestamp::from_secs(since.as_secs().saturating_add(span - 1)).min(end);
        let part = Filter { since: Some(since), until: Some(until), ..filter.clone() };
        let room = if span == 1 { usize::MAX } else { SPAN_BYTES };
        let Some(batches) = read(store, part, room).await? else {
            span = (span / 4).max(1);
            continue;
        };
        let bytes: usize = batches.iter().map(EventBatch::byte_len).sum();
        write_reversed(&batches, output, &mut tell)?;
        since = Timestamp::from_secs(until.as_secs() + 1);
        if bytes < SPAN_BYTES / 4 {
            span = span.saturating_mul(2);
        }
    }
    Ok(())
}

/// Reads all of an answer; `None` if it has more than `room` bytes.
async fn read(
    store: &dyn EventStore,
    filter: Filter,
    room: usize,
) -> anyhow::Result<Option<Vec<EventBatch>>> {
    let mut rows = store.query(Query::by_operator(filter));
    let mut batches: Vec<EventBatch> = Vec::new();
    let mut bytes = 0;
    while let Some(batch) = rows.next().await? {
        bytes += batch.byte_len();
        if bytes > room {
            return Ok(None);
        }
        batches.push(batch);
    }
    Ok(Some(batches))
}

fn write_reversed(
    batches: &[EventBatch],
    output: &mut Output,
    tell: &mut impl FnMut(u64),
) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    for batch in batches.iter().rev() {
        let events: Vec<EventRef<'_>> = batch.iter().map(|(_, event)| event).collect();
        lines.clear();
        events.iter().rev().for_each(|event| push_line(&mut lines, *event));
        output.write(&lines).context("write events")?;
        tell(events.len() as u64);
    }
    Ok(())
}

fn push_line(lines: &mut Vec<u8>, event: EventRef<'_>) {
    event.push_json(lines);
    lines.push(b'\n');
}
