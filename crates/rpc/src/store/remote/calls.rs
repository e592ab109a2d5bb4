//! Calls of one question and one answer.

use event::{Address, EventId, Timestamp};
use store::{Query, Serial, StoreError, StoreStatus, Tombstone};
use tonic::Status;

use crate::proto::orlystore::v1 as proto;
use crate::store::attempts::Attempts;
use crate::store::convert::{from_query, pack_ids};
use crate::store::failure::of_store;
use crate::store::link::Link;
use crate::store::session::Peer;

/// How many ids one call looks up or removes.
const IDS: usize = 500_000;

/// Makes a call until it is answered: `$client` is a client of our service, `$database` that of the
/// original.
macro_rules! call {
    ($link:expr, $peer:ident, |$client:ident| $call:expr, |$database:ident| $other:expr $(,)?) => {{
        let mut attempts = Attempts::new($link);
        loop {
            let session = attempts.next().await?;
            let result: Result<_, Status> = match &session.peer {
                Peer::Store(clients) => {
                    let mut $client = clients.$peer.clone();
                    $call
                }
                Peer::Database($database) => $other,
            };
            match result {
                Ok(answer) => break answer,
                Err(status) => attempts.failed(&session, &status).map_err(of_store)?,
            }
        }
    }};
}

pub(super) async fn contains(link: &Link, ids: &[EventId]) -> Result<Vec<bool>, StoreError> {
    let mut stored = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS) {
        let request = proto::ContainsRequest { ids: Some(pack_ids(ids)) };
        let found: Vec<bool> = call!(
            link,
            calls,
            |client| client.contains(request.clone()).await.map(|answer| {
                answer.into_inner().stored.iter().map(|byte| *byte == 1).collect()
            }),
            |database| database.contains(ids).await,
        );
        if found.len() != ids.len() {
            return Err(StoreError::internal("the service did not answer for each id"));
        }
        stored.extend(found);
    }
    Ok(stored)
}

pub(super) async fn count(link: &Link, query: &Query) -> Result<u64, StoreError> {
    let request = proto::CountRequest { query: Some(from_query(query)) };
    Ok(call!(
        link,
        reads,
        |client| client.count(request.clone()).await.map(|answer| answer.into_inner().count),
        |database| database.count(query).await,
    ))
}

/// When an answer was lost, what had been removed by then is not counted.
pub(super) async fn delete(
    link: &Link,
    ids: &[EventId],
    tombstone: Tombstone,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    for ids in ids.chunks(IDS) {
        let tombstone = tombstone == Tombstone::Keep;
        let request = proto::DeleteRequest { ids: Some(pack_ids(ids)), tombstone };
        removed += call!(
            link,
            calls,
            |client| client.delete(request.clone()).await.map(|answer| answer.into_inner().removed),
            |database| database.delete(ids).await,
        );
    }
    Ok(removed)
}

/// When an answer was lost, what had been removed by then is not counted.
pub(super) async fn delete_addresses(
    link: &Link,
    addresses: &[Address],
    until: Timestamp,
) -> Result<u64, StoreError> {
    let texts: Vec<String> = addresses.iter().map(Address::to_string).collect();
    let request = proto::DeleteAddressesRequest { addresses: texts, until: until.as_secs() };
    Ok(call!(
        link,
        calls,
        |client| {
            let answer = client.delete_addresses(request.clone()).await;
            answer.map(|answer| answer.into_inner().removed)
        },
        |database| database.delete_addresses(addresses, until).await,
    ))
}

pub(super) async fn status(link: &Link) -> Result<StoreStatus, StoreError> {
    Ok(call!(
        link,
        calls,
        |client| client.status(proto::StatusRequest {}).await.map(|answer| {
            let answer = answer.into_inner();
            StoreStatus {
                events: answer.events,
                last_serial: Serial::new(answer.last_serial),
                disk_bytes: answer.disk_bytes,
                read_only: answer.read_only,
            }
        }),
        |database| database.status().await,
    ))
}

pub(super) async fn marker(link: &Link, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let request = || proto::GetMarkerRequest { key: key.to_owned() };
    Ok(call!(
        link,
        calls,
        |client| {
            let answer = client.get_marker(request()).await;
            answer.map(|answer| answer.into_inner().value.map(Into::into))
        },
        |database| database.marker(key).await,
    ))
}

pub(super) async fn set_marker(
    link: &Link,
    key: &str,
    value: Option<Vec<u8>>,
) -> Result<(), StoreError> {
    let value = value.map(prost::bytes::Bytes::from);
    let request = || proto::SetMarkerRequest { key: key.to_owned(), value: value.clone() };
    call!(link, calls, |client| client.set_marker(request()).await.map(drop), |database| database
        .set_marker(key, value.clone())
        .await,);
    Ok(())
}

pub(super) async fn claim_marker(
    link: &Link,
    key: &str,
    value: Vec<u8>,
) -> Result<Vec<u8>, StoreError> {
    let value = prost::bytes::Bytes::from(value);
    let request = || proto::ClaimMarkerRequest { key: key.to_owned(), value: value.clone() };
    Ok(call!(
        link,
        calls,
        |client| {
            let answer = client.claim_marker(request()).await;
            answer.map(|answer| answer.into_inner().value.into())
        },
        |database| database.claim_marker(key, value.clone()).await,
    ))
}

pub(super) async fn markers(
    link: &Link,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let request = || proto::ListMarkersRequest { prefix: prefix.to_owned() };
    Ok(call!(
        link,
        calls,
        |client| match client.list_markers(request()).await {
            Ok(parts) => {
                let mut parts = parts.into_inner();
                let mut found = Vec::new();
                loop {
                    match parts.message().await {
                        Ok(Some(part)) => found.extend(
                            part.markers
                                .into_iter()
                                .map(|marker| (marker.key, marker.value.into())),
                        ),
                        Ok(None) => break Ok(found),
                        Err(status) => break Err(status),
                    }
                }
            }
            Err(status) => Err(status),
        },
        |database| database.markers(prefix).await,
    ))
}
