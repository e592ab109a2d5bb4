//! Taking events out: by id, by serial, because they expired, or because a request says so (NIP-09).

use event::{Address, Deletion, EventId, EventRef, Filter, Kind, KindClass, Pubkey, may_delete};
use prost::bytes::Bytes;
use store::{Query, Serial, StoreError, Tombstone};
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
        let is_admin = admins.binary_search(&event.as_ref().pubkey()).is_ok();
        let targets = self.targets(event.as_ref(), is_admin).await.or_fail(PROCESS)?;
        if !targets.is_empty() {
            self.store.delete(&targets, Tombstone::Keep).await.or_fail(PROCESS)?;
        }
        Ok(proto::Empty {})
    }

    /// The stored events that a deletion request takes out.
    async fn targets(
        &self,
        request: EventRef<'_>,
        is_admin: bool,
    ) -> Result<Vec<EventId>, StoreError> {
        let ids = sorted(Deletion::of(request).unwrap_or_default().ids);
        let mut filters = vec![Filter { ids: Some(ids.clone()), ..Filter::default() }];
        let addresses = request.tags().values_of("a").filter_map(Address::from_tag);
        let addresses: Vec<Address> =
            addresses.filter(|address| is_admin || address.pubkey == request.pubkey()).collect();
        filters.extend(
            addresses
                .iter()
                .map(|address| Filter { until: Some(request.created_at()), ..filter_of(address) }),
        );
        let mut reading = self.read(Query { filters, ..Query::by_operator(Filter::default()) });
        let mut targets = Vec::new();
        while let Some(batch) = reading.next().await? {
            let events = batch.iter().map(|(_, event)| event);
            let is_named = |event: EventRef<'_>| {
                ids.binary_search(&event.id()).is_ok()
                    || Address::of(event).is_some_and(|address| addresses.contains(&address))
            };
            let is_allowed = |event| is_admin || may_delete(request, event);
            let taken = events.filter(|event| is_named(*event) && is_allowed(*event));
            targets.extend(taken.map(EventRef::id));
        }
        Ok(targets)
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

/// Asks for what stands at an address. With an empty `d` it finds more: an event need not have the tag.
fn filter_of(address: &Address) -> Filter {
    let tags = match address.kind.class() {
        KindClass::Addressable if !address.d.is_empty() => [(b'd', vec![address.d.clone()])].into(),
        _ => Default::default(),
    };
    Filter {
        kinds: Some(vec![address.kind]),
        authors: Some(vec![address.pubkey]),
        tags,
        ..Filter::default()
    }
}

fn sorted(mut ids: Vec<EventId>) -> Vec<EventId> {
    ids.sort_unstable();
    ids.dedup();
    ids
}
