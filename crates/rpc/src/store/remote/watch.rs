//! Following what is stored, across restarts of the service.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::{EventBatch, Serial, StoreError, Watch};
use tonic::{Status, Streaming};

use crate::proto::orlystore::v1 as proto;
use crate::store::convert::to_batch;
use crate::store::failure::of_store;
use crate::store::link::{Link, Lost};
use crate::store::session::{Peer, Session};

/// How often a look is taken for a service that is away.
const PAUSE: Duration = Duration::from_millis(100);

/// One watcher. While the service is away it waits; then it goes on behind the last serial it saw.
pub(super) struct RemoteWatch {
    link: Arc<Link>,
    after: Serial,
    source: Option<(Arc<Session>, Source)>,
    /// Whether it was on before.
    was_on: bool,
}

enum Source {
    Store(Streaming<proto::WatchResponse>),
    Database(crate::store::database::DatabaseWatch),
}

impl RemoteWatch {
    pub(super) fn new(link: Arc<Link>, after: Serial) -> Self {
        Self { link, after: after.min(Serial::MAX), source: None, was_on: false }
    }

    async fn open(&mut self, session: &Arc<Session>) -> Result<Source, Status> {
        let last = session.last_serial;
        if self.was_on && last < self.after {
            tracing::warn!(
                address = %self.link.address(), newest = %last, after = %self.after,
                "the event store is another or an older one than before: following it from its newest event"
            );
            self.after = last;
        }
        let after = self.after.as_u64();
        let source = match &session.peer {
            Peer::Store(clients) => {
                let stream = clients.calls.clone().watch(proto::WatchRequest { after }).await?;
                Source::Store(stream.into_inner())
            }
            Peer::Database(database) => Source::Database(database.watch(self.after)),
        };
        self.was_on = true;
        Ok(source)
    }

    /// Takes a failure: an error if that is the answer, else the watch is to be opened again.
    fn failed(&mut self, session: &Arc<Session>, status: &Status) -> Result<(), StoreError> {
        self.source = None;
        match self.link.failed(session, status) {
            Lost::No(error) => Err(of_store(error)),
            Lost::Maybe(_) => Ok(()),
        }
    }
}

#[async_trait]
impl Watch for RemoteWatch {
    async fn next(&mut self) -> Result<Arc<EventBatch>, StoreError> {
        loop {
            let Some((session, source)) = &mut self.source else {
                match self.link.session().await {
                    Ok(session) => match self.open(&session).await {
                        Ok(source) => self.source = Some((session, source)),
                        Err(status) => {
                            self.failed(&session, &status)?;
                            tokio::time::sleep(PAUSE).await;
                        }
                    },
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
                continue;
            };
            let batch = match source {
                Source::Store(stream) => match stream.message().await {
                    Ok(Some(response)) => Ok(to_batch(response.events.unwrap_or_default())
                        .map_err(StoreError::internal)?),
                    Ok(None) => Err(Status::unavailable("the watch ended")),
                    Err(status) => Err(status),
                },
                Source::Database(watch) => watch.next().await,
            };
            match batch {
                Ok(batch) => {
                    let Some((last, _)) = batch.iter().last() else { continue };
                    self.after = last;
                    self.link.raise_newest(last);
                    return Ok(Arc::new(batch));
                }
                Err(status) => {
                    let session = Arc::clone(session);
                    self.failed(&session, &status)?;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}
