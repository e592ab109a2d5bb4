//! Taking events out: by id, by serial, because they expired, or because a request says so (NIP-09).

use event::{Address, EventId, EventRef, Filter, Kind, Pubkey};
use prost::bytes::Bytes;
use store::{Query, Requester, Serial, Tombstone, carry_out};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed, required};
use super::querying::{deletion_requests_naming, pubkeys};
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;

const DELETE: &str = "delete event";
const BY_SERIAL: &str = "delete event by serial";
const EXPIRED: &str = "delete expired";
const PROCESS: &str = "process delete";
const CHECK: &str = "check for deleted";

impl Database {
    pub(super) async fn delete_event(
        &self,
        request: proto::DeleteEventRequest,
    ) -> Result<proto::Empty, Status> {
        let id = EventId::new(fixed("event_id", &request.event_id).or_fail(DELETE)?);
        self.store.delete(&[id], Tombstone::Forget).await.or_fail(DELETE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn delete_event_by_serial(
        &self,
        request: proto::DeleteEventBySerialRequest,
    ) -> Result<proto::Empty, Status> {
        let serial = Serial::new(request.serial);
        let batch = self.serials.fetch(&[serial]).await.or_fail(BY_SERIAL)?;
        let Some((_, stored)) = batch.get(0) else {
            let text = format!("no event has the serial {serial}");
            return Err(failed(BY_SERIAL, Code::NotFound, text));
        };
        let is_meant =
            |event: &proto::Event| event.id.is_empty() || event.id == stored.id().as_bytes()[..];
        if !request.event.as_ref().is_none_or(is_meant) {
            let text = format!("the serial {serial} is that of the event {}", stored.id());
            return Err(failed(BY_SERIAL, Code::FailedPrecondition, text));
        }
        self.store.delete(&[stored.id()], Tombstone::Forget).await.or_fail(BY_SERIAL)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn delete_expired(&self, _: proto::Empty) -> Result<proto::Empty, Status> {
        self.serials.remove_expired().await.or_fail(EXPIRED)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn process_delete(
        &self,
        request: proto::ProcessDeleteRequest,
    ) -> Result<proto::Empty, Status> {
        let event = required("event", request.event).or_fail(PROCESS)?;
        let event = self.signed_event(PROCESS, event)?;
        let admins = pubkeys("admins", &request.admins).or_fail(PROCESS)?;
        if event.as_ref().kind() != Kind::DELETION {
            let text = format!("invalid: event.kind: {} is not 5", event.as_ref().kind());
            return Err(failed(PROCESS, Code::InvalidArgument, text));
        }
        let requester = match admins.binary_search(&event.as_ref().pubkey()) {
            Ok(_) => Requester::Operator,
            Err(_) => Requester::Author,
        };
        carry_out(&*self.store, event.as_ref(), requester).await.or_fail(PROCESS)?;
        Ok(proto::Empty {})
    }

    /// Whether a stored deletion request of one of `admins` names the event.
    pub(super) async fn is_deleted_by(
        &self,
        admins: &[Bytes],
        event: EventRef<'_>,
    ) -> Result<bool, Status> {
        let admins: Vec<Pubkey> = pubkeys("admins", admins).or_fail(CHECK)?;
        if admins.is_empty() {
            return Ok(false);
        }
        let by_admins = |filter| Filter { authors: Some(admins.clone()), limit: Some(1), ..filter };
        let mut filters = vec![by_admins(deletion_requests_naming(&event.id()))];
        filters.extend(Address::of(event).map(|address| {
            by_admins(Filter {
                kinds: Some(vec![Kind::DELETION]),
                tags: [(b'a', vec![address.to_string().into()])].into(),
                since: Some(event.created_at()),
                ..Filter::default()
            })
        }));
        let mut reading = self.read(Query { filters, ..Query::by_operator(Filter::default()) });
        Ok(reading.next().await.or_fail(CHECK)?.is_some())
    }
}
