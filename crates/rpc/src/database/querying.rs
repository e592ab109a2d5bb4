//! Queries: as events, serials, ids, or a count.

use event::{EventId, Filter, Kind, Pubkey, hex};
use store::Query;
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed, required};
use super::streaming::{Answer, DeletionRequests};
use crate::Malformed;
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;

const QUERY: &str = "query events";
const VERSIONS: &str = "query all versions";
const OPTIONS: &str = "query events with options";
const DELETIONS: &str = "query delete events by target id";
const SERIALS: &str = "query for serials";
const FROM_FILTER: &str = "get serials from filter";
const IDS: &str = "query for ids";
const COUNT: &str = "count events";
/// How many items an answer in one message may have; they take some 40 MiB.
pub(super) const MOST_IDS: usize = 500_000;
pub(super) const MOST_SERIALS: usize = 5_000_000;

impl Database {
    pub(super) async fn query_events(
        &self,
        request: proto::QueryEventsRequest,
    ) -> Result<Answer<proto::EventBatch>, Status> {
        let query = query(request.filter).or_fail(QUERY)?;
        Ok(self.stream(QUERY, query, DeletionRequests::Given))
    }

    pub(super) async fn query_all_versions(
        &self,
        request: proto::QueryEventsRequest,
    ) -> Result<Answer<proto::EventBatch>, Status> {
        let query = query(request.filter).or_fail(VERSIONS)?;
        Ok(self.stream(VERSIONS, query, DeletionRequests::Given))
    }

    pub(super) async fn query_events_with_options(
        &self,
        request: proto::QueryEventsWithOptionsRequest,
    ) -> Result<Answer<proto::EventBatch>, Status> {
        let query = query(request.filter).or_fail(OPTIONS)?;
        let deletion_requests = if request.include_delete_events {
            DeletionRequests::Given
        } else {
            DeletionRequests::LeftOut
        };
        Ok(self.stream(OPTIONS, query, deletion_requests))
    }

    pub(super) async fn query_delete_events_by_target_id(
        &self,
        request: proto::QueryDeleteEventsByTargetIdRequest,
    ) -> Result<Answer<proto::EventBatch>, Status> {
        let id = fixed("target_event_id", &request.target_event_id).or_fail(DELETIONS)?;
        let query = Query::by_operator(deletion_requests_naming(&EventId::new(id)));
        Ok(self.stream(DELETIONS, query, DeletionRequests::Given))
    }

    pub(super) async fn query_for_serials(
        &self,
        request: proto::QueryEventsRequest,
    ) -> Result<proto::SerialList, Status> {
        self.serials_of_query(SERIALS, request.filter).await
    }

    pub(super) async fn get_serials_from_filter(
        &self,
        request: proto::GetSerialsFromFilterRequest,
    ) -> Result<proto::SerialList, Status> {
        self.serials_of_query(FROM_FILTER, request.filter).await
    }

    async fn serials_of_query(
        &self,
        operation: &str,
        filter: Option<proto::Filter>,
    ) -> Result<proto::SerialList, Status> {
        let mut reading = self.read(query(filter).or_fail(operation)?);
        let mut serials = Vec::new();
        while let Some(batch) = reading.next().await.or_fail(operation)? {
            serials.extend(batch.iter().map(|(serial, _)| serial.as_u64()));
            check_most(operation, serials.len(), MOST_SERIALS)?;
        }
        Ok(proto::SerialList { serials })
    }

    pub(super) async fn query_for_ids(
        &self,
        request: proto::QueryEventsRequest,
    ) -> Result<proto::IdPkTsList, Status> {
        let mut reading = self.read(query(request.filter).or_fail(IDS)?);
        let mut items = Vec::new();
        while let Some(batch) = reading.next().await.or_fail(IDS)? {
            items.extend(batch.iter().map(super::lookups::id_pk_ts));
            check_most(IDS, items.len(), MOST_IDS)?;
        }
        Ok(proto::IdPkTsList { items })
    }

    pub(super) async fn count_events(
        &self,
        request: proto::QueryEventsRequest,
    ) -> Result<proto::CountEventsResponse, Status> {
        let query = query(request.filter).or_fail(COUNT)?;
        let _turn = self.queries.acquire().await;
        let count = self.store.count(&query).await.or_fail(COUNT)?;
        let count = i32::try_from(count).unwrap_or(i32::MAX);
        Ok(proto::CountEventsResponse { count, approximate: count == i32::MAX })
    }
}

/// What a filter off the wire asks for, on behalf of the relay: it sees everything.
fn query(filter: Option<proto::Filter>) -> Result<Query, Malformed> {
    Ok(Query::by_operator(required("filter", filter)?.try_into()?))
}

/// Asks for the deletion requests (NIP-09) that name an id.
pub(super) fn deletion_requests_naming(id: &EventId) -> Filter {
    let id = hex::encode(id.as_bytes());
    Filter {
        kinds: Some(vec![Kind::DELETION]),
        tags: [(b'e', vec![id.into()])].into(),
        ..Filter::default()
    }
}

/// Refuses an answer that grows too large for one message.
pub(super) fn check_most(operation: &str, len: usize, most: usize) -> Result<(), Status> {
    if len <= most {
        return Ok(());
    }
    let text =
        format!("error: more than {most} answers; set a limit in the filter, or a smaller one");
    Err(failed(operation, Code::ResourceExhausted, text))
}

/// Pubkeys off the wire, sorted.
pub(super) fn pubkeys(
    field: &'static str,
    keys: &[prost::bytes::Bytes],
) -> Result<Vec<Pubkey>, Malformed> {
    let keys = keys.iter().map(|key| fixed(field, key).map(Pubkey::new));
    let mut keys: Vec<Pubkey> = keys.collect::<Result<_, _>>()?;
    keys.sort_unstable();
    keys.dedup();
    Ok(keys)
}
