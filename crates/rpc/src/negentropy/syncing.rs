//! One synchronisation as a stream of its steps.

use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use relay_client::PeerUrl;
use relay_sync::{PeerSync, Request, SyncError, SyncProgress, SyncReport};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::messages::progress;
use crate::proto::orlysync::negentropy::v1 as proto;

/// Steps that wait for a caller who reads slowly; the last one does not get lost.
const WAITING: usize = 256;
/// Events sent to the peer are told of in batches.
const SENT_BATCH: u64 = 100;

/// Synchronises as far as the stream is read: who drops it ends that.
///
/// The numbers of each step are those so far. The last says how it ended.
pub(super) fn stream(
    peers: Arc<PeerSync>,
    url: PeerUrl,
    request: Request,
    shutdown: CancellationToken,
) -> impl Stream<Item = Result<proto::SyncProgress, Status>> + Send {
    let (steps, told) = mpsc::channel(WAITING);
    let work = async move {
        let tell = |step: SyncProgress<'_>, report: &SyncReport| {
            let is_told = match step {
                SyncProgress::Round { .. } | SyncProgress::Saved(_) => true,
                SyncProgress::Sent => report.sent.is_multiple_of(SENT_BATCH),
            };
            if is_told {
                // Who reads slowly learns the same from the next.
                drop(steps.try_send(progress(&url, report)));
            }
        };
        let sync = peers.sync_once(&url, request, tell);
        let result = Box::pin(shutdown.run_until_cancelled(sync)).await;
        // Nobody may be reading any more.
        drop(steps.send(last(&url, result)).await);
    };
    let work = stream::once(work).filter_map(|()| async { None });
    let told = stream::unfold(told, async |mut told| Some((Ok(told.recv().await?), told)));
    stream::select(told, work)
}

/// How it ended; `None` stands for the end of this process.
fn last(url: &PeerUrl, result: Option<Result<SyncReport, SyncError>>) -> proto::SyncProgress {
    match result {
        Some(Ok(report)) => {
            let error = left_behind(&report);
            proto::SyncProgress { complete: true, error, ..progress(url, &report) }
        }
        Some(Err(error)) => {
            proto::SyncProgress { error: error.describe(), ..progress(url, &error.report) }
        }
        None => proto::SyncProgress {
            error: "the service stops".into(),
            ..progress(url, &SyncReport::default())
        },
    }
}

/// What was not moved though it differs, and why; empty if nothing.
fn left_behind(report: &SyncReport) -> String {
    let missing = Some(("not given by the relay".to_owned(), report.missing));
    let lists = [("not valid", &report.invalid), ("not accepted", &report.refused)];
    let reasons = lists.into_iter().flat_map(|(word, reasons)| {
        reasons.iter().map(move |(reason, count)| (format!("{word}: {reason}"), count))
    });
    let all = missing.into_iter().filter(|(_, count)| *count > 0).chain(reasons);
    let texts: Vec<String> = all.map(|(reason, count)| format!("{count} {reason}")).collect();
    if texts.is_empty() { String::new() } else { format!("not moved: {}", texts.join(", ")) }
}
