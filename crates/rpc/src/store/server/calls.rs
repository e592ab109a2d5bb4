//! The calls, one by one.

use std::sync::Arc;

use event::{Event, Timestamp};
use reconcile::FrameSizeLimit;
use store::{ReconcileSet, Serial, Tombstone};
use tonic::{Request, Response, Status, Streaming};

use super::StoreServer;
use super::queries::Asked;
use super::streams::{BoxStream, marker_parts, of_parts, watch};
use crate::Malformed;
use crate::proto::orlystore::v1 as proto;
use crate::proto::orlystore::v1::store_service_server::StoreService;
use crate::store::convert::{
    addresses, from_initiator, from_outcomes, ids, limit_of, split_answer, split_step, to_events,
    to_initiator, to_query,
};
use crate::store::failure::to_status;

/// How many bytes of events one call saves at most.
const SAVE_BYTES: usize = 512 << 20;
type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl StoreService for StoreServer {
    async fn status(&self, _: Request<proto::StatusRequest>) -> Reply<proto::StatusResponse> {
        let status = self.store.status().await.map_err(to_status)?;
        Ok(Response::new(proto::StatusResponse {
            events: status.events,
            last_serial: status.last_serial.as_u64(),
            disk_bytes: status.disk_bytes,
            read_only: status.read_only,
            files: self.files.as_ref().and_then(|files| files.to_wire()),
        }))
    }

    async fn save(
        &self,
        request: Request<Streaming<proto::SaveRequest>>,
    ) -> Reply<proto::SaveResponse> {
        let mut parts = request.into_inner();
        let (mut events, mut bytes) = (Vec::<Event>::new(), 0);
        while let Some(part) = parts.message().await? {
            let part = part.events.unwrap_or_default();
            bytes += part.packed.len();
            if bytes > SAVE_BYTES {
                let reason = format!("more than {SAVE_BYTES} bytes in one call");
                return Err(invalid(Malformed::new("events", reason)));
            }
            events.reserve(part.lengths.len());
            to_events(&part, &mut events).map_err(invalid)?;
        }
        let outcomes = self.store.save(events).await.map_err(to_status)?;
        Ok(Response::new(from_outcomes(&outcomes)))
    }

    async fn contains(
        &self,
        request: Request<proto::ContainsRequest>,
    ) -> Reply<proto::ContainsResponse> {
        let ids = ids("ids", request.into_inner().ids).map_err(invalid)?;
        let stored = self.store.contains(&ids).await.map_err(to_status)?;
        let stored: Vec<u8> = stored.into_iter().map(u8::from).collect();
        Ok(Response::new(proto::ContainsResponse { stored: stored.into() }))
    }

    type QueryStream = BoxStream<proto::QueryResponse>;

    async fn query(
        &self,
        requests: Request<Streaming<proto::QueryRequest>>,
    ) -> Reply<Self::QueryStream> {
        let asked = Asked { store: Arc::clone(&self.store), kept: Arc::clone(&self.queries) };
        Ok(Response::new(asked.answer(requests.into_inner(), self.shutdown.clone())))
    }

    async fn count(&self, request: Request<proto::CountRequest>) -> Reply<proto::CountResponse> {
        let query = to_query(request.into_inner().query).map_err(invalid)?;
        let count = self.store.count(&query).await.map_err(to_status)?;
        Ok(Response::new(proto::CountResponse { count }))
    }

    async fn delete(&self, request: Request<proto::DeleteRequest>) -> Reply<proto::DeleteResponse> {
        let proto::DeleteRequest { ids: list, tombstone } = request.into_inner();
        let ids = ids("ids", list).map_err(invalid)?;
        let tombstone = if tombstone { Tombstone::Keep } else { Tombstone::Forget };
        let removed = self.store.delete(&ids, tombstone).await.map_err(to_status)?;
        Ok(Response::new(proto::DeleteResponse { removed }))
    }

    async fn delete_addresses(
        &self,
        request: Request<proto::DeleteAddressesRequest>,
    ) -> Reply<proto::DeleteAddressesResponse> {
        let proto::DeleteAddressesRequest { addresses: texts, until } = request.into_inner();
        let addresses = addresses("addresses", &texts).map_err(invalid)?;
        let until = Timestamp::from_secs(until);
        let removed = self.store.delete_addresses(&addresses, until).await.map_err(to_status)?;
        Ok(Response::new(proto::DeleteAddressesResponse { removed }))
    }

    type WatchStream = BoxStream<proto::WatchResponse>;

    async fn watch(&self, request: Request<proto::WatchRequest>) -> Reply<Self::WatchStream> {
        let after = Serial::new(request.into_inner().after);
        Ok(Response::new(watch(self.store.watch(after), self.shutdown.clone())))
    }

    async fn get_marker(
        &self,
        request: Request<proto::GetMarkerRequest>,
    ) -> Reply<proto::GetMarkerResponse> {
        let value = self.store.marker(&request.into_inner().key).await.map_err(to_status)?;
        Ok(Response::new(proto::GetMarkerResponse { value: value.map(Into::into) }))
    }

    async fn set_marker(
        &self,
        request: Request<proto::SetMarkerRequest>,
    ) -> Reply<proto::SetMarkerResponse> {
        let proto::SetMarkerRequest { key, value } = request.into_inner();
        self.store.set_marker(&key, value.map(Into::into)).await.map_err(to_status)?;
        Ok(Response::new(proto::SetMarkerResponse {}))
    }

    async fn claim_marker(
        &self,
        request: Request<proto::ClaimMarkerRequest>,
    ) -> Reply<proto::ClaimMarkerResponse> {
        let proto::ClaimMarkerRequest { key, value } = request.into_inner();
        let value = self.store.claim_marker(&key, value.into()).await.map_err(to_status)?;
        Ok(Response::new(proto::ClaimMarkerResponse { value: value.into() }))
    }

    type ListMarkersStream = BoxStream<proto::ListMarkersResponse>;

    async fn list_markers(
        &self,
        request: Request<proto::ListMarkersRequest>,
    ) -> Reply<Self::ListMarkersStream> {
        let markers = self.store.markers(&request.into_inner().prefix).await.map_err(to_status)?;
        Ok(Response::new(of_parts(marker_parts(markers))))
    }

    async fn count_set(
        &self,
        request: Request<proto::CountSetRequest>,
    ) -> Reply<proto::CountSetResponse> {
        let (number, set) = self.set(request.into_inner().set).await?;
        let count = set.count().await.map_err(to_status)?;
        self.sets.put(number, set);
        Ok(Response::new(proto::CountSetResponse { count }))
    }

    type AnswerStream = BoxStream<proto::AnswerResponse>;

    async fn answer(&self, request: Request<proto::AnswerRequest>) -> Reply<Self::AnswerStream> {
        let proto::AnswerRequest { set, message, frame_size_limit } = request.into_inner();
        let limit = limit_of(frame_size_limit).map_err(invalid)?;
        let (number, set) = self.set(set).await?;
        let answer = set.answer(message.into(), limit).await.map_err(to_status)?;
        if !answer.complete {
            self.sets.put(number, set);
        }
        Ok(Response::new(of_parts(split_answer(answer))))
    }

    async fn initiate(
        &self,
        request: Request<proto::InitiateRequest>,
    ) -> Reply<proto::InitiateResponse> {
        let proto::InitiateRequest { set, frame_size_limit, max_rounds } = request.into_inner();
        let limit: FrameSizeLimit = limit_of(frame_size_limit).map_err(invalid)?;
        let (number, set) = self.set(set).await?;
        let (initiator, message) = set.open(limit, max_rounds).await.map_err(to_status)?;
        self.sets.put(number, set);
        let initiator = Some(from_initiator(&initiator));
        Ok(Response::new(proto::InitiateResponse { initiator, message: message.into() }))
    }

    type StepStream = BoxStream<proto::StepResponse>;

    async fn step(&self, request: Request<proto::StepRequest>) -> Reply<Self::StepStream> {
        let proto::StepRequest { set, initiator, message } = request.into_inner();
        let initiator = to_initiator(initiator).map_err(invalid)?;
        let (number, set) = self.set(set).await?;
        let (initiator, step) = set.step(initiator, message.into()).await.map_err(to_status)?;
        if step.next.is_some() {
            self.sets.put(number, set);
        }
        Ok(Response::new(of_parts(split_step(&initiator, step))))
    }
}

impl StoreServer {
    /// The set of a reconciliation: the one that was kept for it, or a new one.
    async fn set(&self, set: Option<proto::Set>) -> Result<(u64, Arc<dyn ReconcileSet>), Status> {
        let set = set.ok_or_else(|| invalid(Malformed::new("set", "missing")))?;
        let number = set.reconciliation;
        if let Some(set) = self.sets.take(number) {
            return Ok((number, set));
        }
        let query = to_query(set.query).map_err(invalid)?;
        let set = self.store.reconcile_set(query, set.max_records).await.map_err(to_status)?;
        Ok((number, set.into()))
    }
}

fn invalid(malformed: Malformed) -> Status {
    to_status(store::StoreError::Invalid(malformed.to_string()))
}
