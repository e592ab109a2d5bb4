//! Following what is stored by asking again and again: at once after this process saved something,
//! within a moment when another did.

use std::sync::Arc;
use std::time::Duration;

use event::Event;
use store::{EventBatch, Serial};
use tokio::sync::Notify;
use tonic::Status;
use tonic::transport::Channel;

use super::answer::Answered;
use crate::proto::orlydb::v1 as proto;
use crate::proto::orlydb::v1::database_service_client::DatabaseServiceClient;
use crate::store::failure::to_status;

/// How often a look is taken at what others stored.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How many serials are looked at. The service takes 1000 at a time, and those it did not use before a
/// restart are never used.
const WINDOW: u64 = 2000;

type Client = DatabaseServiceClient<Channel>;

/// One watcher.
pub(in crate::store) struct DatabaseWatch {
    client: Client,
    saved: Arc<Notify>,
    after: Serial,
}

impl DatabaseWatch {
    pub(super) fn new(client: Client, saved: Arc<Notify>, after: Serial) -> Self {
        Self { client, saved, after }
    }

    /// The next events.
    pub(in crate::store) async fn next(&mut self) -> Result<EventBatch, Status> {
        if self.after >= Serial::MAX {
            std::future::pending::<()>().await;
        }
        loop {
            // Noticed though it happens while the service is asked.
            let saved = Arc::clone(&self.saved);
            let saved = saved.notified();
            let mut saved = std::pin::pin!(saved);
            saved.as_mut().enable();
            let mut serials = serials_behind(&mut self.client, self.after.as_u64()).await?;
            if serials.is_empty() {
                drop(tokio::time::timeout(POLL_INTERVAL, saved).await);
                continue;
            }
            serials.sort_unstable();
            let batch = self.fetch(&serials).await?;
            let last = serials.last().map_or(0, |serial| serial + 1);
            self.after = self.after.max(Serial::new(last));
            if !batch.is_empty() {
                return Ok(batch);
            }
        }
    }

    async fn fetch(&mut self, serials: &[u64]) -> Result<EventBatch, Status> {
        let request = proto::FetchEventsBySerialRequest { serials: serials.to_vec() };
        let mut found = self.client.fetch_events_by_serials(request).await.answered()?.events;
        let mut batch = EventBatch::default();
        for serial in serials {
            let Some(event) = found.remove(serial) else { continue };
            match Event::try_from(event) {
                Ok(event) => batch.push(Serial::new(serial + 1), event.as_ref()),
                Err(malformed) => {
                    return Err(to_status(store::StoreError::internal(malformed)));
                }
            }
        }
        Ok(batch)
    }
}

/// The service's serials that are in use behind `after` of ours, in a window.
pub(super) async fn serials_behind(client: &mut Client, after: u64) -> Result<Vec<u64>, Status> {
    let serials = (after..after.saturating_add(WINDOW)).collect();
    let request = proto::GetFullIdPubkeyBySerialsRequest { serials };
    let found = client.get_full_id_pubkey_by_serials(request).await.answered()?;
    Ok(found.items.into_iter().map(|item| item.serial).filter(|serial| *serial >= after).collect())
}
