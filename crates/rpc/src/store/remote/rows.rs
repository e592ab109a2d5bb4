//! The answer to a query.
//!
//! A request is answered with a quarter of a megabyte at most, so that one who reads slowly holds nothing
//! that others wait for. The next events are asked for while the last ones are read. A filter's answer
//! goes on where it was when the service was lost.

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
use crate::store::exchange::Answer;
use crate::store::failure::{is_unknown_cursor, of_store};
use crate::store::link::Link;
use crate::store::session::{Peer, Session};

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
    /// What was asked for.
    coming: Option<Coming>,
}

/// Events on their way.
struct Coming {
    session: Arc<Session>,
    source: Source,
}

enum Source {
    Store(Answer),
    Database(AbortOnDropHandle<Result<Page, Status>>),
}

/// Events and what comes behind them.
pub(in crate::store) struct Page {
    pub(in crate::store) batch: EventBatch,
    pub(in crate::store) then: Then,
}

/// What comes behind some events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Then {
    /// More of what was asked for.
    More,
    /// More, to be asked for; the service may know where it was.
    Ask(Option<u64>),
    /// Nothing.
    End,
}

impl RemoteRows {
    pub(super) fn new(link: Arc<Link>, query: Query) -> Self {
        let given = (query.filters.len() > 1).then(HashSet::new);
        let runs = query.filters.into_iter().map(|filter| Run {
            position: Position::start(filter),
            cursor: None,
            coming: None,
        });
        Self { link, viewer: query.viewer, runs: runs.collect(), given }
    }

    /// Asks for the first events of the filters behind the first.
    fn look_ahead(&mut self) {
        for run in self.runs.iter_mut().take(AHEAD).skip(1) {
            run.ask_ahead(&self.link, &self.viewer);
        }
    }
}

#[async_trait]
impl Rows for RemoteRows {
    async fn next(&mut self) -> Result<Option<EventBatch>, StoreError> {
        loop {
            self.look_ahead();
            let Some(run) = self.runs.front_mut() else { return Ok(None) };
            let Page { mut batch, then } = run.page(&self.link, &self.viewer).await?;
            let given = &mut self.given;
            batch.retain(|serial, event| {
                run.position.take(event) && given.as_mut().is_none_or(|given| given.insert(serial))
            });
            if then == Then::End || run.position.is_over() {
                self.runs.pop_front();
            } else {
                run.ask_ahead(&self.link, &self.viewer);
            }
            if !batch.is_empty() {
                return Ok(Some(batch));
            }
        }
    }
}

impl Run {
    /// Asks for what is next unless that was done, or somebody has to be found first.
    fn ask_ahead(&mut self, link: &Link, viewer: &Viewer) {
        if self.coming.is_none()
            && let Some(session) = link.current()
        {
            let source = match &session.peer {
                Peer::Store(clients) => {
                    clients.exchange().try_ask(self.request(viewer)).map(Source::Store)
                }
                Peer::Database(_) => Some(self.page_of_database(&session, viewer)),
            };
            self.coming = source.map(|source| Coming { session, source });
        }
    }

    /// The next events.
    async fn page(&mut self, link: &Link, viewer: &Viewer) -> Result<Page, StoreError> {
        let mut attempts = Attempts::new(link);
        loop {
            let mut coming = match self.coming.take() {
                Some(coming) => coming,
                None => self.ask(attempts.next().await?, viewer).await,
            };
            match coming.next().await {
                Ok(page) => {
                    match page.then {
                        Then::More => self.coming = Some(coming),
                        Then::Ask(cursor) => self.cursor = cursor,
                        Then::End => {}
                    }
                    return Ok(page);
                }
                Err(status) if is_unknown_cursor(&status) && self.cursor.is_some() => {}
                Err(status) => attempts.failed(&coming.session, &status).map_err(of_store)?,
            }
            self.cursor = None;
        }
    }

    async fn ask(&self, session: Arc<Session>, viewer: &Viewer) -> Coming {
        let source = match &session.peer {
            Peer::Store(clients) => {
                Source::Store(clients.exchange().ask(self.request(viewer)).await)
            }
            Peer::Database(_) => self.page_of_database(&session, viewer),
        };
        Coming { session, source }
    }

    fn request(&self, viewer: &Viewer) -> proto::QueryRequest {
        let query = match self.cursor {
            Some(_) => None,
            None => {
                let (filters, viewer) = (vec![self.position.rest()], viewer.clone());
                Some(from_query(&Query { filters, viewer }))
            }
        };
        proto::QueryRequest { number: 0, query, cursor: self.cursor.unwrap_or_default() }
    }

    fn page_of_database(&self, session: &Arc<Session>, viewer: &Viewer) -> Source {
        let (session, viewer) = (Arc::clone(session), viewer.clone());
        let position = self.position.clone();
        Source::Database(AbortOnDropHandle::new(tokio::spawn(async move {
            match &session.peer {
                Peer::Database(database) => database.page(&viewer, &position).await,
                Peer::Store(_) => Err(Status::internal("not a database service")),
            }
        })))
    }
}

impl Coming {
    async fn next(&mut self) -> Result<Page, Status> {
        match &mut self.source {
            Source::Store(answer) => page(answer.next().await?),
            Source::Database(page) => {
                page.await.unwrap_or_else(|error| Err(Status::internal(error.to_string())))
            }
        }
    }
}

fn page(response: proto::QueryResponse) -> Result<Page, Status> {
    let proto::QueryResponse { last, cursor, events, .. } = response;
    let then = match (last, cursor) {
        (false, _) => Then::More,
        (true, Some(cursor)) => Then::Ask(Some(cursor)),
        (true, None) => Then::End,
    };
    // What the service sent is not what it should: asking again does not help.
    let malformed = |malformed| {
        crate::store::failure::to_status(ReconcileError::Store(StoreError::internal(malformed)))
    };
    let batch = to_batch(events.unwrap_or_default()).map_err(malformed)?;
    Ok(Page { batch, then })
}
