//! Answers of more than one message.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use store::{StoreError, Watch};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::proto::orlystore::v1 as proto;
use crate::store::convert::{PART_BYTES, parts};
use crate::store::failure::to_status;

/// The messages of an answer.
pub(super) type BoxStream<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The parts of an answer that is there already.
pub(super) fn of_parts<T: Send + 'static>(parts: Vec<T>) -> BoxStream<T> {
    Box::pin(stream::iter(parts).map(Ok))
}

/// Markers, in messages of about [`PART_BYTES`].
pub(super) fn marker_parts(markers: Vec<(String, Vec<u8>)>) -> Vec<proto::ListMarkersResponse> {
    let mut parts = vec![proto::ListMarkersResponse::default()];
    let mut bytes = 0;
    for (key, value) in markers {
        let len = key.len() + value.len();
        if bytes > 0 && bytes + len > PART_BYTES {
            parts.push(proto::ListMarkersResponse::default());
            bytes = 0;
        }
        bytes += len;
        let part = parts.last_mut().expect("there is one from the start");
        part.markers.push(proto::Marker { key, value: value.into() });
    }
    parts
}

/// What a watch sees, until `shutdown`. The first message is empty: the watch is on.
pub(super) fn watch(
    watch: Box<dyn Watch>,
    shutdown: CancellationToken,
) -> BoxStream<proto::WatchResponse> {
    struct State {
        watch: Box<dyn Watch>,
        shutdown: CancellationToken,
        waiting: VecDeque<proto::Events>,
    }
    let waiting = VecDeque::from([proto::Events::default()]);
    let state = State { watch, shutdown, waiting };
    Box::pin(stream::try_unfold(state, async |mut state| {
        while state.waiting.is_empty() {
            let Some(batch) = state.shutdown.run_until_cancelled(state.watch.next()).await else {
                let end = StoreError::Unavailable("the event store is shutting down".into());
                return Err(to_status(end));
            };
            state.waiting.extend(parts(&*batch.map_err(to_status)?));
        }
        let events = state.waiting.pop_front();
        Ok(Some((proto::WatchResponse { events }, state)))
    }))
}
