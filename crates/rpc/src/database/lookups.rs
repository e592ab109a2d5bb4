//! Events and ids by serial, and the other way round.

use event::{EventId, EventRef};
use prost::bytes::Bytes;
use store::Serial;
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed, required};
use super::querying::{MOST_IDS, MOST_SERIALS, check_most};
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;
use crate::{DATABASE_MESSAGE_LIMIT, Malformed};

const FETCH: &str = "fetch event by serial";
const FETCH_MANY: &str = "fetch events by serials";
const SERIAL: &str = "get serial by id";
const SERIALS: &str = "get serials by ids";
const RANGE: &str = "get serials by range";
const FULL: &str = "get full id pubkey by serial";
const FULL_MANY: &str = "get full id pubkey by serials";
const BY_SERIAL: &str = "event ids by serial";
/// How many serials are looked up on one snapshot.
const CHUNK: usize = 1000;
/// How many bytes of packed events fit into a message, whose form is a little wider.
const MOST_BYTES: usize = DATABASE_MESSAGE_LIMIT / 4 * 3;

impl Database {
    pub(super) async fn fetch_event_by_serial(
        &self,
        request: proto::FetchEventBySerialRequest,
    ) -> Result<proto::FetchEventBySerialResponse, Status> {
        let batch = self.serials.fetch(&[Serial::new(request.serial)]).await.or_fail(FETCH)?;
        let event = batch.get(0).map(|(_, event)| event.into());
        Ok(proto::FetchEventBySerialResponse { found: event.is_some(), event })
    }

    pub(super) async fn fetch_events_by_serials(
        &self,
        request: proto::FetchEventsBySerialRequest,
    ) -> Result<proto::EventMap, Status> {
        let mut answer = proto::EventMap::default();
        let mut bytes = 0;
        for chunk in serials(&request.serials).chunks(CHUNK) {
            let batch = self.serials.fetch(chunk).await.or_fail(FETCH_MANY)?;
            bytes += batch.byte_len();
            if bytes > MOST_BYTES {
                let text = "error: the events are too many for one message; ask for fewer";
                return Err(failed(FETCH_MANY, Code::ResourceExhausted, text));
            }
            let events = batch.iter().map(|(serial, event)| (serial.as_u64(), event.into()));
            answer.events.extend(events);
        }
        Ok(answer)
    }

    pub(super) async fn get_serial_by_id(
        &self,
        request: proto::GetSerialByIdRequest,
    ) -> Result<proto::GetSerialByIdResponse, Status> {
        let id = EventId::new(fixed("id", &request.id).or_fail(SERIAL)?);
        let found = self.serials.serials_of(&[id]).await.or_fail(SERIAL)?;
        let serial = found.into_iter().next().flatten();
        Ok(proto::GetSerialByIdResponse {
            serial: serial.unwrap_or_default().as_u64(),
            found: serial.is_some(),
        })
    }

    pub(super) async fn get_serials_by_ids(
        &self,
        request: proto::GetSerialsByIdsRequest,
    ) -> Result<proto::SerialMap, Status> {
        let ids = ids(&request.ids).or_fail(SERIALS)?;
        let mut answer = proto::SerialMap::default();
        for chunk in ids.chunks(CHUNK) {
            let found = self.serials.serials_of(chunk).await.or_fail(SERIALS)?;
            let found = chunk.iter().zip(found).filter_map(|(id, serial)| Some((id, serial?)));
            answer.serials.extend(found.map(|(id, serial)| (id.to_string(), serial.as_u64())));
        }
        Ok(answer)
    }

    pub(super) async fn get_serials_by_range(
        &self,
        request: proto::GetSerialsByRangeRequest,
    ) -> Result<proto::SerialList, Status> {
        let range = required("range", request.range).or_fail(RANGE)?;
        if !range.prefix.is_empty() {
            let reason = "prefixes of another engine's indexes mean nothing here; leave it empty";
            return Err(Malformed::new("range.prefix", reason)).or_fail(RANGE);
        }
        let last = if range.end == 0 { Serial::MAX } else { Serial::new(range.end) };
        let serials = self.range(RANGE, Serial::new(range.start), last, MOST_SERIALS + 1).await?;
        check_most(RANGE, serials.len(), MOST_SERIALS)?;
        Ok(proto::SerialList { serials })
    }

    pub(super) async fn event_ids_by_serial(
        &self,
        request: proto::EventIdsBySerialRequest,
    ) -> Result<proto::EventIdsBySerialResponse, Status> {
        let count = usize::try_from(request.count)
            .map_err(|_| Malformed::new("count", format!("{} is negative", request.count)))
            .or_fail(BY_SERIAL)?;
        let first = Serial::new(request.start);
        let event_ids = self.range(BY_SERIAL, first, Serial::MAX, count.min(MOST_SERIALS)).await?;
        Ok(proto::EventIdsBySerialResponse { event_ids })
    }

    async fn range(
        &self,
        operation: &str,
        first: Serial,
        last: Serial,
        most: usize,
    ) -> Result<Vec<u64>, Status> {
        let found = self.serials.serials(first, last, most).await.or_fail(operation)?;
        Ok(found.into_iter().map(Serial::as_u64).collect())
    }

    pub(super) async fn get_full_id_pubkey_by_serial(
        &self,
        request: proto::GetFullIdPubkeyBySerialRequest,
    ) -> Result<proto::IdPkTs, Status> {
        let batch = self.serials.fetch(&[Serial::new(request.serial)]).await.or_fail(FULL)?;
        let text = || format!("no event has the serial {}", request.serial);
        batch.get(0).map(id_pk_ts).ok_or_else(|| failed(FULL, Code::NotFound, text()))
    }

    pub(super) async fn get_full_id_pubkey_by_serials(
        &self,
        request: proto::GetFullIdPubkeyBySerialsRequest,
    ) -> Result<proto::IdPkTsList, Status> {
        check_most(FULL_MANY, request.serials.len(), MOST_IDS)?;
        let mut items = Vec::new();
        for chunk in serials(&request.serials).chunks(CHUNK) {
            let batch = self.serials.fetch(chunk).await.or_fail(FULL_MANY)?;
            items.extend(batch.iter().map(id_pk_ts));
        }
        Ok(proto::IdPkTsList { items })
    }
}

/// What identifies an event.
pub(super) fn id_pk_ts((serial, event): (Serial, EventRef<'_>)) -> proto::IdPkTs {
    proto::IdPkTs {
        id: Bytes::copy_from_slice(event.id().as_bytes()),
        pubkey: Bytes::copy_from_slice(event.pubkey().as_bytes()),
        timestamp: i64::try_from(event.created_at().as_secs()).unwrap_or(i64::MAX),
        serial: serial.as_u64(),
    }
}

fn serials(numbers: &[u64]) -> Vec<Serial> {
    numbers.iter().copied().map(Serial::new).collect()
}

fn ids(ids: &[Bytes]) -> Result<Vec<EventId>, Malformed> {
    ids.iter().map(|id| fixed("ids", id).map(EventId::new)).collect()
}
