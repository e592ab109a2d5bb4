//! A store behind the database service of the original, `orlydb.v1`, which knows less than ours: an
//! event a call, no watch, no sets.
//!
//! Its serials begin at 0, where ours begin at 1.

mod answer;
mod query;
mod save;
mod versions;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use event::{Address, EventId, Filter, KindClass, Timestamp};
use futures_util::{StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;
use prost::bytes::Bytes;
use store::{IDENTITY_MARKER, Serial, StoreStatus, Viewer};
use tokio::sync::Notify;
use tokio::time::Instant;
use tonic::Status;
use tonic::transport::Channel;

use crate::DATABASE_MESSAGE_LIMIT;
use crate::proto::orlydb::v1 as proto;
use crate::proto::orlydb::v1::database_service_client::DatabaseServiceClient;

use answer::{Answered, not_found};
pub(super) use watch::DatabaseWatch;

/// How long the search for the newest serial may take at the start.
const SEARCH: Duration = Duration::from_secs(3);
/// How many ids are looked up at once.
const LOOKUPS: usize = 32;
/// How often events are counted for the status, which the service does by looking at them.
const COUNT_INTERVAL: Duration = Duration::from_secs(30);
/// The key of the marker that lists the others: the original lists none.
const MARKER_KEYS: &str = "orly-marker-keys";

/// The client of a database service.
pub(super) struct DatabaseClient {
    client: DatabaseServiceClient<Channel>,
    last_serial: Serial,
    /// Told when this process saved something, so that watchers need not wait.
    saved: Arc<Notify>,
    /// How many events there were, and when they were counted.
    counted: Mutex<Option<(Instant, u64)>>,
    /// Held while the list of markers changes.
    listing: tokio::sync::Mutex<()>,
}

impl DatabaseClient {
    /// Asks whether the service is ready, and for its newest serial.
    pub(super) async fn greet(channel: Channel) -> Result<Self, Status> {
        let mut client = DatabaseServiceClient::new(channel)
            .max_decoding_message_size(DATABASE_MESSAGE_LIMIT)
            .max_encoding_message_size(DATABASE_MESSAGE_LIMIT);
        if !client.ready(proto::Empty {}).await?.into_inner().ready {
            return Err(Status::unavailable("the database service is not ready yet"));
        }
        let saved = Arc::new(Notify::new());
        let listing = tokio::sync::Mutex::default();
        let (last_serial, counted) = (Serial::default(), Mutex::default());
        let mut database = Self { client, last_serial, saved, counted, listing };
        database.last_serial = tokio::time::timeout(SEARCH, database.newest_serial())
            .await
            .map_err(|_| Status::unavailable("the newest serial is not found in time"))??;
        Ok(database)
    }

    /// The newest serial at the start.
    pub(super) fn last_serial(&self) -> Serial {
        self.last_serial
    }

    /// Follows what is stored behind `after`.
    pub(super) fn watch(&self, after: Serial) -> DatabaseWatch {
        DatabaseWatch::new(self.client.clone(), Arc::clone(&self.saved), after)
    }

    /// Looks for the newest serial: from that of the newest event on, as long as there are others.
    async fn newest_serial(&self) -> Result<Serial, Status> {
        let filter = proto::Filter { limit: Some(1), ..proto::Filter::default() };
        let request = proto::QueryEventsRequest { filter: Some(filter) };
        let mut client = self.client.clone();
        let newest = client.query_for_serials(request).await.answered()?;
        let mut newest = newest.serials.into_iter().max().map_or(0, |serial| serial + 1);
        loop {
            let next = watch::serials_behind(&mut client, newest).await?;
            match next.into_iter().max() {
                Some(serial) => newest = serial + 1,
                None => return Ok(Serial::new(newest)),
            }
        }
    }

    pub(super) async fn status(&self) -> Result<StoreStatus, Status> {
        let last_serial = self.newest_serial().await?;
        let counted = *self.counted.lock();
        let events = match counted {
            Some((at, events)) if at.elapsed() < COUNT_INTERVAL => events,
            _ => {
                let query = store::Query::by_operator(event::Filter::default());
                let events = self.count(&query).await?;
                *self.counted.lock() = Some((Instant::now(), events));
                events
            }
        };
        Ok(StoreStatus { events, last_serial, disk_bytes: 0, read_only: None })
    }

    pub(super) async fn contains(&self, ids: &[EventId]) -> Result<Vec<bool>, Status> {
        let serials = self.serials(ids).await?;
        Ok(serials.iter().map(Option::is_some).collect())
    }

    /// The serial of each id. (The original has a call for many ids, whose answer is no valid text.)
    async fn serials(&self, ids: &[EventId]) -> Result<Vec<Option<Serial>>, Status> {
        let calls = ids.iter().copied().map(|id| {
            let mut client = self.client.clone();
            async move {
                let id = Bytes::copy_from_slice(id.as_bytes());
                let answer = client.get_serial_by_id(proto::GetSerialByIdRequest { id }).await;
                let found = not_found(answer.answered())?.filter(|answer| answer.found);
                Ok(found.map(|answer| Serial::new(answer.serial + 1)))
            }
        });
        let calls: Vec<_> = calls.collect();
        stream::iter(calls).buffered(LOOKUPS).try_collect().await
    }

    /// Deletes events; whether their ids stay refused is up to the service.
    pub(super) async fn delete(&self, ids: &[EventId]) -> Result<u64, Status> {
        let mut removed = 0;
        for (id, is_stored) in ids.iter().zip(self.contains(ids).await?) {
            if is_stored {
                let event_id = Bytes::copy_from_slice(id.as_bytes());
                let request = proto::DeleteEventRequest { event_id };
                self.client.clone().delete_event(request).await.answered()?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Deletes what stands at addresses; whether older versions stay refused is up to the service.
    pub(super) async fn delete_addresses(
        &self,
        addresses: &[Address],
        until: Timestamp,
    ) -> Result<u64, Status> {
        let mut ids = Vec::new();
        for address in addresses {
            self.visit(at(address, until), &Viewer::OPERATOR, |event| {
                if Address::of(event.as_ref()).as_ref() == Some(address) {
                    ids.push(event.as_ref().id());
                }
                true
            })
            .await?;
        }
        self.delete(&ids).await
    }

    pub(super) async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, Status> {
        let request = proto::GetMarkerRequest { key: key.to_owned() };
        let found = not_found(self.client.clone().get_marker(request).await.answered())?;
        Ok(found.filter(|found| found.found).map(|found| found.value.into()))
    }

    pub(super) async fn set_marker(&self, key: &str, value: Option<Bytes>) -> Result<(), Status> {
        let is_set = value.is_some();
        match value {
            Some(value) => {
                let request = proto::SetMarkerRequest { key: key.to_owned(), value };
                self.client.clone().set_marker(request).await.answered()?;
            }
            None => {
                let request = proto::DeleteMarkerRequest { key: key.to_owned() };
                not_found(self.client.clone().delete_marker(request).await.answered())?;
            }
        }
        let _one_at_a_time = self.listing.lock().await;
        let mut keys = self.marker_keys().await?;
        let at = keys.binary_search_by(|other| other.as_str().cmp(key));
        match (at, is_set) {
            (Err(at), true) => keys.insert(at, key.to_owned()),
            (Ok(at), false) => drop(keys.remove(at)),
            _ => return Ok(()),
        }
        let value = keys.join("\n").into();
        let request = proto::SetMarkerRequest { key: MARKER_KEYS.to_owned(), value };
        self.client.clone().set_marker(request).await.answered()?;
        Ok(())
    }

    /// Claims in two steps, for this wire has no other way: claims at the same moment may differ until they
    /// are read again.
    pub(super) async fn claim_marker(&self, key: &str, value: Bytes) -> Result<Vec<u8>, Status> {
        if let Some(held) = self.marker(key).await? {
            return Ok(held);
        }
        if key == IDENTITY_MARKER {
            return self.claim_identity(value).await;
        }
        self.set_marker(key, Some(value.clone())).await?;
        Ok(self.marker(key).await?.unwrap_or_else(|| value.into()))
    }

    /// The relay's secret key, which the service keeps for relays of the original too.
    async fn claim_identity(&self, secret_key: Bytes) -> Result<Vec<u8>, Status> {
        let mut client = self.client.clone();
        let found = client.get_relay_identity_secret(proto::Empty {}).await;
        if let Some(found) = not_found(found.answered())? {
            return Ok(found.secret_key.into());
        }
        let request = proto::SetRelayIdentitySecretRequest { secret_key };
        client.set_relay_identity_secret(request).await.answered()?;
        let held = client.get_relay_identity_secret(proto::Empty {}).await.answered()?;
        Ok(held.secret_key.into())
    }

    /// The markers that processes of ours set, with keys of one line.
    pub(super) async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, Status> {
        let mut found = Vec::new();
        for key in self.marker_keys().await? {
            if key.starts_with(prefix)
                && let Some(value) = self.marker(&key).await?
            {
                found.push((key, value));
            }
        }
        Ok(found)
    }

    async fn marker_keys(&self) -> Result<Vec<String>, Status> {
        let keys = self.marker(MARKER_KEYS).await?.unwrap_or_default();
        let keys = String::from_utf8(keys).unwrap_or_default();
        Ok(keys.lines().map(str::to_owned).collect())
    }
}

/// Asks for what stands at an address. With an empty `d` it finds more: an event need not have the tag.
fn at(address: &Address, until: Timestamp) -> Filter {
    let tags = match address.kind.class() {
        KindClass::Addressable if !address.d.is_empty() => [(b'd', vec![address.d.clone()])].into(),
        _ => Default::default(),
    };
    Filter {
        kinds: Some(vec![address.kind]),
        authors: Some(vec![address.pubkey]),
        tags,
        until: Some(until),
        ..Filter::default()
    }
}
