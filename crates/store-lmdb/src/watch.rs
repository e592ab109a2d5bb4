//! Following what is stored: by this process at once, by other processes within a moment.

use std::collections::VecDeque;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use store::{EventBatch, Serial, StoreError, Watch};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::keys::{serial_bytes, serial_from};

/// How many batches a slow watcher may be behind before it reads from disk.
const RING: usize = 1024;
/// How often a look is taken at what other processes wrote.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How many events are read from disk at once.
const READ_EVENTS: usize = 500;

/// Where the writer announces what it stored.
pub(crate) struct Feed(Sender<Arc<EventBatch>>);

impl Feed {
    pub(crate) fn new() -> Self {
        Self(broadcast::channel(RING).0)
    }

    pub(crate) fn publish(&self, batch: EventBatch) {
        if !batch.is_empty() {
            // Nobody may be watching.
            drop(self.0.send(Arc::new(batch)));
        }
    }
}

/// One watcher.
pub(crate) struct LmdbWatch {
    lmdb: Arc<Lmdb>,
    feed: Receiver<Arc<EventBatch>>,
    after: Serial,
    ready: VecDeque<Arc<EventBatch>>,
    /// The newest transaction whose events were all seen; 0 if there is more to read.
    seen_txn: usize,
}

impl LmdbWatch {
    pub(crate) fn new(lmdb: Arc<Lmdb>, feed: &Feed, after: Serial) -> Self {
        let after = after.min(Serial::MAX);
        Self { lmdb, feed: feed.0.subscribe(), after, ready: VecDeque::new(), seen_txn: 0 }
    }

    /// Takes what the writer announces. A gap in front of it may be what another process wrote.
    fn receive(&mut self, batch: Arc<EventBatch>) -> Result<(), LmdbError> {
        let first = batch.iter().next().map_or(0, |(serial, _)| serial.as_u64());
        if first > self.after.as_u64() + 1 {
            self.seen_txn = 0;
            return self.catch_up();
        }
        self.offer(batch);
        Ok(())
    }

    /// Reads what is on disk behind `after`.
    fn catch_up(&mut self) -> Result<(), LmdbError> {
        let last = self.lmdb.last_txn();
        if last == self.seen_txn {
            return Ok(());
        }
        let batch = self.lmdb.read(|txn| {
            let mut batch = EventBatch::default();
            let after = serial_bytes(self.after);
            let behind = (Bound::Excluded(&after[..]), Bound::Unbounded);
            for entry in self.lmdb.tables.events.range(txn, &behind)? {
                let serial = serial_from(entry?.0);
                if let Some(event) = self.lmdb.tables.event(txn, serial)? {
                    batch.push(serial, event);
                }
                if batch.len() == READ_EVENTS {
                    break;
                }
            }
            Ok(batch)
        })?;
        self.seen_txn = if batch.len() < READ_EVENTS { last } else { 0 };
        self.offer(Arc::new(batch));
        Ok(())
    }

    /// Queues a batch unless it was seen.
    fn offer(&mut self, batch: Arc<EventBatch>) {
        let (first, last) = (batch.iter().next(), batch.iter().last());
        let (Some((first, _)), Some((last, _))) = (first, last) else { return };
        if last <= self.after {
            return;
        }
        let batch = if first > self.after {
            batch
        } else {
            let mut rest = EventBatch::default();
            batch
                .iter()
                .filter(|(serial, _)| *serial > self.after)
                .for_each(|(serial, event)| rest.push(serial, event));
            Arc::new(rest)
        };
        self.after = last;
        self.ready.push_back(batch);
    }
}

#[async_trait]
impl Watch for LmdbWatch {
    async fn next(&mut self) -> Result<Arc<EventBatch>, StoreError> {
        loop {
            if let Some(batch) = self.ready.pop_front() {
                return Ok(batch);
            }
            if self.seen_txn == 0 {
                self.catch_up()?;
                continue;
            }
            match tokio::time::timeout(POLL_INTERVAL, self.feed.recv()).await {
                Ok(Ok(batch)) => self.receive(batch)?,
                Ok(Err(RecvError::Lagged(_))) | Err(_) => self.catch_up()?,
                Ok(Err(RecvError::Closed)) => {
                    return Err(StoreError::Unavailable("the event store is closed".into()));
                }
            }
        }
    }
}
