//! Following what is stored: by this process at once, by others within a moment.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::{EventBatch, Serial, StoreError, Watch};
use tokio::sync::watch::Receiver;

use crate::bolt::Statement;
use crate::events::Events;
use crate::shared::Shared;

/// How many events are read at once.
const READ_EVENTS: u64 = 500;
const FETCH: usize = 100;
/// How long a server that is away is left alone.
const AWAY_INTERVAL: Duration = Duration::from_secs(1);
const BEHIND: &str = "MATCH (e:Event) WHERE e.serial > $after \
    RETURN e.serial, e.packed ORDER BY e.serial LIMIT $most";

/// One watcher.
pub(crate) struct Neo4jWatch {
    shared: Arc<Shared>,
    news: Receiver<Serial>,
    after: Serial,
    /// Whether there may be more that was not read yet.
    is_behind: bool,
}

impl Neo4jWatch {
    pub(crate) fn new(shared: Arc<Shared>, after: Serial) -> Self {
        let news = shared.news();
        Self { shared, news, after: after.min(Serial::MAX), is_behind: true }
    }

    async fn read(&self) -> Result<EventBatch, StoreError> {
        self.shared.graph().await?;
        let statement =
            Statement::new(BEHIND).with("after", self.after.as_u64()).with("most", READ_EVENTS);
        let mut events = Events::default();
        let take = |row| events.take(row).map_or(ControlFlow::Break(()), ControlFlow::Continue);
        self.shared.client.read(&statement, FETCH, take).await?;
        Ok(events.into_batch()?)
    }
}

#[async_trait]
impl Watch for Neo4jWatch {
    async fn next(&mut self) -> Result<Arc<EventBatch>, StoreError> {
        loop {
            if !self.is_behind {
                let gone = |_| StoreError::Unavailable("the event store is closed".into());
                self.news.changed().await.map_err(gone)?;
            }
            self.news.mark_unchanged();
            self.is_behind = true;
            let batch = match self.read().await {
                Err(StoreError::Unavailable(_)) => {
                    tokio::time::sleep(AWAY_INTERVAL).await;
                    continue;
                }
                read => read?,
            };
            match batch.iter().last() {
                Some((last, _)) => {
                    self.after = last;
                    return Ok(Arc::new(batch));
                }
                None => self.is_behind = false,
            }
        }
    }
}
