//! The answer to a query, a call for each batch.
//!
//! No call stays open between two batches, so that one who reads slowly holds nothing that others
//! wait for. The next batch is fetched while the last one is read. A filter's answer goes on where
//! it was when the service was lost.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use store::{EventBatch, Query, ReconcileError, Rows, Serial, StoreError, Viewer};
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use super::position::Position;
use crate::proto::orlystore::v1 as proto;
use crate::store::attempts::Attempts;
use crate::store::convert::{from_query, to_batch};
use crate::store::failure::{is_unknown_cursor, of_store};
use crate::store::link::{Client, Link, Peer};

/// How many filters are asked for at once.
const AHEAD: usize = 8;

/// A query under way.
pub(super) struct RemoteRows {
    link: Arc<Link>,
    viewer: Viewer,
    runs: VecDeque<Run>,
    /// What was given, kept when a later filter may find it again.
    given: Option<HashSet<Serial>>,
}

/// One filter under way.
struct Run {
    position: Position,
    /// Where the service goes on; it may have forgotten.
    cursor: Option<u64>,
    /// The next batch, on its way.
    fetch: Option<AbortOnDropHandle<Result<Page, StoreError>>>,
}

/// A batch and where to go on.
pub(in crate::store) struct Page {
    pub(in crate::store) batch: EventBatch,
    /// Whether that is all.
    pub(in crate::store) is_end: bool,
    pub(in crate::store) cursor: Option<u64>,
}

impl RemoteRows {
    pub(super) fn new(link: Arc<Link>, query: Query) -> Self {
        let given = (query.filters.len() > 1).then(HashSet::new);
        let runs = query.filters.into_iter().map(|filter| Run {
            position: Position::start(filter),
            cursor: None,
            fetch: None,
        });
        Self { link, viewer: query.viewer, runs: runs.collect(), given }
    }

    /// Asks for the first batches of the filters behind the first.
    fn look_ahead(&mut self) {
        for run in self.runs.iter_mut().take(AHEAD).skip(1) {
            run.fetch_ahead(&self.link, &self.viewer);
        }
    }
}

#[async_trait]
impl Rows for RemoteRows {
    async fn next(&mut self) -> Result<Option<EventBatch>, StoreError> {
        loop {
            self.look_ahead();
            let Some(run) = self.runs.front_mut() else { return Ok(None) };
            let page = match &mut run.fetch {
                Some(fetch) => {
                    let page = fetch.await;
                    run.fetch = None;
                    page.map_err(StoreError::internal)??
                }
                None => {
                    let (position, cursor) = (run.position.clone(), run.cursor);
                    fetch(&self.link, &self.viewer, position, cursor).await?
                }
            };
            let mut batch = EventBatch::default();
            let given = &mut self.given;
            for (serial, event) in page.batch.iter() {
                if run.position.take(event)
                    && given.as_mut().is_none_or(|given| given.insert(serial))
                {
                    batch.push(serial, event);
                }
            }
            run.cursor = page.cursor;
            if page.is_end || run.position.is_over() {
                self.runs.pop_front();
            } else {
                run.fetch_ahead(&self.link, &self.viewer);
            }
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
    }
}

impl Run {
    fn fetch_ahead(&mut self, link: &Arc<Link>, viewer: &Viewer) {
        let Self { position, cursor, fetch: ahead } = self;
        ahead.get_or_insert_with(|| {
            let (link, viewer) = (Arc::clone(link), viewer.clone());
            let (position, cursor) = (position.clone(), *cursor);
            let task = async move { fetch(&link, &viewer, position, cursor).await };
            AbortOnDropHandle::new(tokio::spawn(task))
        });
    }
}

/// Fetches the next batch.
async fn fetch(
    link: &Link,
    viewer: &Viewer,
    position: Position,
    mut cursor: Option<u64>,
) -> Result<Page, StoreError> {
    let mut attempts = Attempts::new(link);
    loop {
        let session = attempts.next().await?;
        let page = match &session.peer {
            Peer::Store(clients) => page(clients.reads.clone(), viewer, &position, cursor).await,
            Peer::Database(database) => database.page(viewer, &position).await,
        };
        match page {
            Ok(page) => return Ok(page),
            Err(status) if is_unknown_cursor(&status) && cursor.is_some() => {}
            Err(status) => attempts.failed(&session, &status).map_err(of_store)?,
        }
        cursor = None;
    }
}

/// Asks a service of ours for the next batch.
async fn page(
    mut client: Client,
    viewer: &Viewer,
    position: &Position,
    cursor: Option<u64>,
) -> Result<Page, Status> {
    let request = match cursor {
        Some(cursor) => proto::QueryRequest { query: None, cursor },
        None => {
            let query = Query { filters: vec![position.rest()], viewer: viewer.clone() };
            proto::QueryRequest { query: Some(from_query(&query)), cursor: 0 }
        }
    };
    let proto::QueryResponse { events, cursor } = client.query(request).await?.into_inner();
    let batch = to_batch(events.unwrap_or_default()).map_err(malformed)?;
    Ok(Page { batch, is_end: cursor.is_none(), cursor })
}

/// What the service sent is not what it should: asking again does not help.
fn malformed(malformed: crate::Malformed) -> Status {
    crate::store::failure::to_status(ReconcileError::Store(StoreError::internal(malformed)))
}
