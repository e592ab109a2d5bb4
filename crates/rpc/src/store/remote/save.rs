//! Saving: one call carries whatever waits; a call that was lost is made again.

use std::collections::{HashMap, HashSet};

use event::{Event, EventId, Filter};
use futures_util::stream;
use store::{Query, Rows, SaveOutcome, Serial, StoreError};
use tonic::Status;

use super::rows::RemoteRows;
use crate::proto::orlystore::v1 as proto;
use crate::store::attempts::Attempts;
use crate::store::convert::{pack_events, to_outcomes};
use crate::store::failure::{of_store, to_status};
use crate::store::link::Link;
use crate::store::session::{Client, Peer};

/// How many bytes of events one call carries at most.
const CALL_BYTES: usize = 256 << 20;

/// Saves events. Those of more than [`CALL_BYTES`] are saved in several steps.
pub(super) async fn save(
    link: &std::sync::Arc<Link>,
    events: Vec<Event>,
) -> Result<Vec<SaveOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(events.len());
    let mut rest = &events[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |event: &&Event| {
            bytes += event.as_ref().as_bytes().len();
            bytes <= CALL_BYTES
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (now, later) = rest.split_at(count);
        outcomes.extend(save_at_once(link, now).await?);
        rest = later;
    }
    Ok(outcomes)
}

async fn save_at_once(
    link: &std::sync::Arc<Link>,
    events: &[Event],
) -> Result<Vec<SaveOutcome>, StoreError> {
    let parts =
        pack_events(events).map_err(|malformed| StoreError::Invalid(malformed.to_string()))?;
    let before = link.newest();
    let mut attempts = Attempts::new(link);
    let mut outcomes = loop {
        let session = attempts.next().await?;
        let result = match &session.peer {
            Peer::Store(clients) => call(clients.calls.clone(), parts.clone(), events.len()).await,
            Peer::Database(database) => database.save(events).await,
        };
        match result {
            Ok(outcomes) => break outcomes,
            Err(status) => attempts.failed(&session, &status).map_err(of_store)?,
        }
    };
    if attempts.is_again() {
        recognise(link, before, events, &mut outcomes).await?;
    }
    let serials = outcomes.iter().filter_map(|outcome| match outcome {
        SaveOutcome::Stored(serial) => Some(*serial),
        _ => None,
    });
    if let Some(newest) = serials.max() {
        link.raise_newest(newest);
    }
    Ok(outcomes)
}

async fn call(
    mut client: Client,
    parts: Vec<proto::Events>,
    count: usize,
) -> Result<Vec<SaveOutcome>, Status> {
    let parts = parts.into_iter().map(|events| proto::SaveRequest { events: Some(events) });
    let response = client.save(stream::iter(parts)).await?.into_inner();
    to_outcomes(&response, count).map_err(|malformed| to_status(StoreError::internal(malformed)))
}

/// Says of what was a duplicate only because the same call was made before that it is stored: its serial
/// is newer than any that was seen before the first call.
async fn recognise(
    link: &std::sync::Arc<Link>,
    before: Serial,
    events: &[Event],
    outcomes: &mut [SaveOutcome],
) -> Result<(), StoreError> {
    let id = |event: &Event| event.as_ref().id();
    let mut seen = HashSet::new();
    let doubtful: Vec<(usize, EventId)> = events
        .iter()
        .zip(outcomes.iter())
        .enumerate()
        .filter(|(_, (event, outcome))| {
            seen.insert(id(event)) && **outcome == SaveOutcome::Duplicate
        })
        .map(|(at, (event, _))| (at, id(event)))
        .collect();
    if doubtful.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<EventId> = doubtful.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    let query = Query::by_operator(Filter { ids: Some(ids), ..Filter::default() });
    let mut rows = RemoteRows::new(std::sync::Arc::clone(link), query);
    let mut serials: HashMap<EventId, Serial> = HashMap::new();
    while let Some(batch) = rows.next().await? {
        serials.extend(batch.iter().map(|(serial, event)| (event.id(), serial)));
    }
    for (at, id) in doubtful {
        if let Some(serial) = serials.get(&id).filter(|serial| **serial > before) {
            outcomes[at] = SaveOutcome::Stored(*serial);
        }
    }
    Ok(())
}
