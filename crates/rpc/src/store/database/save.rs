//! Saving, an event a call.

use event::{Event, EventId};
use futures_util::{StreamExt, stream};
use store::{SaveOutcome, Serial};
use tonic::Status;

use super::DatabaseClient;
use super::answer::{Answered, refusal};
use crate::proto::orlydb::v1 as proto;

/// How many calls are under way at once. The service decides in which order they take effect, which
/// makes a difference only where events of one batch bear on each other.
const AT_ONCE: usize = 16;

impl DatabaseClient {
    /// Saves events, and asks for the serials of those that were stored.
    pub(in crate::store) async fn save(
        &self,
        events: &[Event],
    ) -> Result<Vec<SaveOutcome>, Status> {
        let requests = events
            .iter()
            .map(|event| proto::SaveEventRequest { event: Some(event.as_ref().into()) });
        let calls = requests.collect::<Vec<_>>().into_iter().map(|request| {
            let mut client = self.client.clone();
            async move {
                match client.save_event(request).await.answered() {
                    Ok(_) => Ok(SaveOutcome::Stored(Serial::default())),
                    Err(status) => refusal(&status).ok_or(status),
                }
            }
        });
        let results: Vec<_> = stream::iter(calls).buffered(AT_ONCE).collect().await;
        let mut outcomes = results.into_iter().collect::<Result<Vec<_>, Status>>()?;
        let is_stored = |outcome: &SaveOutcome| matches!(outcome, SaveOutcome::Stored(_));
        let stored: Vec<EventId> = events
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| is_stored(outcome))
            .map(|(event, _)| event.as_ref().id())
            .collect();
        let mut serials = self.serials(&stored).await?.into_iter();
        for outcome in outcomes.iter_mut().filter(|outcome| is_stored(outcome)) {
            // What a later event of the batch replaced may be gone already.
            *outcome = match serials.next().flatten() {
                Some(serial) => SaveOutcome::Stored(serial),
                None => SaveOutcome::Superseded,
            };
        }
        self.saved.notify_waiters();
        Ok(outcomes)
    }
}
