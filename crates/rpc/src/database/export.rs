//! Giving out events as JSON lines, in the order they arrived.

use std::sync::Arc;

use event::{Pubkey, Timestamp};
use futures_util::stream;
use store::{Serial, SerialStore, StoreError};
use tokio::sync::Semaphore;
use tonic::Status;

use super::Database;
use super::failure::OrFail;
use super::querying::pubkeys;
use super::streaming::Answer;
use crate::proto::orlydb::v1 as proto;

const EXPORT: &str = "export";
/// How many bytes a message carries; lines span messages.
const CHUNK_BYTES: usize = 64 << 10;
/// How many events are read on one snapshot.
const STEP: usize = 500;

/// An export under way.
struct Export {
    serials: Arc<dyn SerialStore>,
    queries: Arc<Semaphore>,
    /// Sorted; none stands for all.
    authors: Vec<Pubkey>,
    next: Option<Serial>,
    text: Vec<u8>,
    /// How much of the text was given out.
    given: usize,
}

impl Database {
    pub(super) async fn export(
        &self,
        request: proto::ExportRequest,
    ) -> Result<Answer<proto::ExportChunk>, Status> {
        let authors = pubkeys("pubkeys", &request.pubkeys).or_fail(EXPORT)?;
        let export = Export {
            serials: Arc::clone(&self.serials),
            queries: Arc::clone(&self.queries),
            authors,
            next: Some(Serial::new(1)),
            text: Vec::new(),
            given: 0,
        };
        Ok(Box::pin(stream::unfold(Some(export), |export| async move {
            let mut export = export?;
            match export.chunk().await.or_fail(EXPORT) {
                Ok(Some(data)) => {
                    Some((Ok(proto::ExportChunk { data: data.into() }), Some(export)))
                }
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        })))
    }
}

impl Export {
    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while self.text.len() - self.given < CHUNK_BYTES && self.next.is_some() {
            self.text.drain(..std::mem::take(&mut self.given));
            self.step().await?;
        }
        let end = self.text.len().min(self.given + CHUNK_BYTES);
        let chunk = self.text[self.given..end].to_vec();
        self.given = end;
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }

    /// Reads some more events.
    async fn step(&mut self) -> Result<(), StoreError> {
        let Some(first) = self.next else { return Ok(()) };
        let _turn = self.queries.acquire().await.map_err(StoreError::internal)?;
        let serials = self.serials.serials(first, Serial::MAX, STEP).await?;
        self.next = serials.last().map(|last| Serial::new(last.as_u64() + 1));
        let now = Timestamp::now();
        for (_, event) in self.serials.fetch(&serials).await?.iter() {
            let is_asked =
                self.authors.is_empty() || self.authors.binary_search(&event.pubkey()).is_ok();
            if is_asked && !event.is_expired(now) {
                event.push_json(&mut self.text);
                self.text.push(b'\n');
            }
        }
        Ok(())
    }
}
