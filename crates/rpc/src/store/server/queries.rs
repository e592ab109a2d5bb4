//! Queries of one call: each request is answered as soon as its events are found, whoever asked first.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, FuturesUnordered};
use futures_util::{Stream, StreamExt};
use relay_sync::SyncStore;
use store::{EventBatch, Rows, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use super::kept::Kept;
use super::streams::BoxStream;
use crate::Malformed;
use crate::proto::orlystore::v1 as proto;
use crate::store::convert::{pack, to_query};
use crate::store::failure::{to_failure, unknown_cursor};

/// How many bytes of events a request is answered with: its client asks for more when it has them.
const ANSWER_BYTES: usize = 256 << 10;
/// The first response leaves when it has so many: the client is at work while there is more to find.
const FIRST_BYTES: usize = 16 << 10;
/// The others have more, for each costs something, however small.
const RESPONSE_BYTES: usize = 48 << 10;
/// A response that has anything leaves when it took this long.
const RESPONSE_TIME: Duration = Duration::from_millis(20);
/// How many requests of one call are answered at once.
const AT_ONCE: usize = 4096;

/// Who is asked.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) store: Arc<dyn SyncStore>,
    pub(super) kept: Arc<Kept<Box<dyn Rows>>>,
}

/// The requests of one call.
struct Requests<R> {
    asked: Asked,
    requests: Option<R>,
    answers: FuturesUnordered<BoxFuture<'static, (proto::QueryResponse, Option<Run>)>>,
}

/// A request under way.
struct Run {
    number: u32,
    rows: Box<dyn Rows>,
    /// How many bytes of events it was answered with.
    bytes: usize,
}

impl Asked {
    /// Answers requests until there are no more, or no more are taken because of the `shutdown`.
    pub(super) fn answer(
        self,
        requests: Streaming<proto::QueryRequest>,
        shutdown: CancellationToken,
    ) -> BoxStream<proto::QueryResponse> {
        let requests = Box::pin(requests.take_until(shutdown.cancelled_owned()));
        let answers = FuturesUnordered::new();
        let mut requests = Requests { asked: self, requests: Some(requests), answers };
        Box::pin(stream::poll_fn(move |context| requests.poll_next(context)))
    }

    /// The first response to a request.
    async fn begin(self, request: proto::QueryRequest) -> (proto::QueryResponse, Option<Run>) {
        let proto::QueryRequest { number, query, cursor } = request;
        let rows = match query {
            Some(query) => to_query(Some(query)).map_err(invalid).map(|q| self.store.query(q)),
            None => self.kept.take(cursor).ok_or_else(unknown_cursor),
        };
        match rows {
            Ok(rows) => self.respond(Run { number, rows, bytes: 0 }).await,
            Err(failure) => failed(number, failure),
        }
    }

    /// The next response.
    async fn go_on(self, run: Run) -> (proto::QueryResponse, Option<Run>) {
        // What was found leaves before more is looked for.
        tokio::task::yield_now().await;
        self.respond(run).await
    }

    async fn respond(&self, mut run: Run) -> (proto::QueryResponse, Option<Run>) {
        let number = run.number;
        let enough = if run.bytes == 0 { FIRST_BYTES } else { RESPONSE_BYTES };
        let (batch, is_end) = match gather(run.rows.as_mut(), enough).await {
            Ok(gathered) => gathered,
            Err(error) => return failed(number, to_failure(error)),
        };
        run.bytes += batch.byte_len();
        let events = Some(pack(batch));
        let response = proto::QueryResponse { number, events, ..Default::default() };
        if is_end {
            return (proto::QueryResponse { last: true, ..response }, None);
        }
        if run.bytes < ANSWER_BYTES {
            return (response, Some(run));
        }
        let cursor = rand::random();
        self.kept.put(cursor, run.rows);
        (proto::QueryResponse { last: true, cursor: Some(cursor), ..response }, None)
    }
}

impl<R: Stream<Item = Result<proto::QueryRequest, Status>> + Unpin> Requests<R> {
    /// The next response to any of the requests.
    fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<proto::QueryResponse, Status>>> {
        while let Some(requests) = &mut self.requests
            && self.answers.len() < AT_ONCE
            && let Poll::Ready(request) = requests.poll_next_unpin(context)
        {
            match request {
                Some(Ok(request)) => {
                    self.answers.push(Box::pin(self.asked.clone().begin(request)));
                }
                // What a client that broke off had asked is answered in vain, which ends soon.
                Some(Err(_)) | None => self.requests = None,
            }
        }
        match self.answers.poll_next_unpin(context) {
            Poll::Ready(Some((response, run))) => {
                if let Some(run) = run {
                    self.answers.push(Box::pin(self.asked.clone().go_on(run)));
                }
                Poll::Ready(Some(Ok(response)))
            }
            Poll::Ready(None) if self.requests.is_none() => Poll::Ready(None),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Reads until there is enough for a response, and whether that is the end.
async fn gather(rows: &mut dyn Rows, enough: usize) -> Result<(EventBatch, bool), StoreError> {
    let started = Instant::now();
    let Some(mut all) = rows.next().await? else { return Ok((EventBatch::default(), true)) };
    while all.byte_len() < enough && started.elapsed() < RESPONSE_TIME {
        let Some(batch) = rows.next().await? else { return Ok((all, true)) };
        batch.iter().for_each(|(serial, event)| all.push(serial, event));
    }
    Ok((all, false))
}

fn failed(number: u32, failure: proto::Failure) -> (proto::QueryResponse, Option<Run>) {
    let failure = Some(failure);
    (proto::QueryResponse { number, last: true, failure, ..Default::default() }, None)
}

fn invalid(malformed: Malformed) -> proto::Failure {
    to_failure(StoreError::Invalid(malformed.to_string()))
}
