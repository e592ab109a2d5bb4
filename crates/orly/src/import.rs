//! `import`: stores the events of a file.
//!
//! Threads take turns at reading a chunk of lines, and read and verify the events of theirs side by
//! side; the chunks come out in order. What they found is saved in large batches, one of which is
//! written while the next is gathered.

mod check;
mod chunks;
mod pipeline;
mod resume;
mod run;
mod source;
mod tally;

use std::sync::Arc;

use anyhow::{Context, bail};
use store_lmdb::Access;
use tokio_util::sync::CancellationToken;

use self::check::Trust;
use self::pipeline::Pipeline;
use self::resume::Resume;
use self::run::{Ended, Run};
use self::source::Source;
use crate::command_line::Import;
use crate::event_store;
use crate::figures::grouped;
use crate::output::print;
use crate::progress::Progress;
use crate::settings::Settings;

pub(crate) async fn run(
    settings: &Settings,
    arguments: &Import,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let source = Source::open(&arguments.file)?;
    let store = event_store::of_command(settings, Access::Create).await?;
    let resume = Resume::new(Arc::clone(&store), &source, &arguments.file);
    let start = if arguments.restart { None } else { resume.position().await? };
    let trust = if arguments.no_verify { Trust::All } else { Trust::Stored(Arc::clone(&store)) };
    let progress = Progress::start(source.len);
    if let Some(start) = start {
        progress.note(&format!(
            "going on behind line {}, where an earlier import stopped (--restart starts anew)",
            grouped(start.lines)
        ));
    }
    let start = start.unwrap_or_default();
    let read = Arc::clone(&source.read);
    let pipeline = Pipeline::start(source, start, trust)?;
    let mut run = Run::new(store, resume, pipeline, progress, read, start);
    let ended = run.all(shutdown).await;
    let (tally, summary) = run.finish();
    print(&summary)?;
    match ended.with_context(|| arguments.file.display().to_string())? {
        Ended::Interrupted { line } => {
            bail!("interrupted behind line {}; the same command goes on from there", grouped(line))
        }
        Ended::Complete => {}
    }
    match tally.bad() {
        0 => Ok(()),
        _ if arguments.lenient => Ok(()),
        1 => bail!("1 line is no valid event"),
        bad => bail!("{} lines are no valid events", grouped(bad)),
    }
}
