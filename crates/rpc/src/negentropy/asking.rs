//! Asking a service for a synchronisation: what `orly sync --server` does.

use std::time::Duration;

use event::Filter;
use relay_client::PeerUrl;
use relay_sync::Direction;
use tonic::transport::Channel;
use tonic::{Code, Request, Status, Streaming};

use super::metadata;
use crate::Address;
use crate::connect::MESSAGE_LIMIT;
use crate::proto::orlysync::common::v1::Empty;
use crate::proto::orlysync::negentropy::v1 as proto;
use proto::negentropy_service_client::NegentropyServiceClient;

/// How often a service that is not ready is asked again.
const ASK_INTERVAL: Duration = Duration::from_millis(100);

/// A reconciliation service, to be asked for synchronisations.
pub struct RemotePeerSync {
    client: NegentropyServiceClient<Channel>,
    address: Address,
}

/// A synchronisation under way. Dropping it ends it.
pub struct SyncStream {
    steps: Streaming<proto::SyncProgress>,
    address: Address,
    /// Whether the service knows what a direction is; the original does not, and moves events both ways.
    pub is_direction_heeded: bool,
}

/// How far a synchronisation is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerProgress {
    /// Messages of the peer so far.
    pub rounds: u32,
    /// Events the service has and the peer lacks.
    pub have: u64,
    /// Events the peer has and the service lacks.
    pub need: u64,
    /// Events the peer gave.
    pub fetched: u64,
    /// Events published to the peer.
    pub sent: u64,
    /// Whether it came to its end: this is the last step.
    pub is_complete: bool,
    /// What went wrong, or was left behind.
    pub error: Option<String>,
}

/// Why a service could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteSyncError {
    /// It does not answer.
    #[error(
        "no reconciliation service answers at {0}: check the address, and whether orly-sync-negentropy runs"
    )]
    Unavailable(Address),
    /// It says that it is not ready, and does so for too long.
    #[error("the reconciliation service at {0} is not ready: its event store may be away")]
    NotReady(Address),
    /// It is something else.
    #[error("what answers at {0} is no reconciliation service")]
    NotAService(Address),
    /// It refuses.
    #[error("{0}")]
    Refused(String),
}

impl RemotePeerSync {
    /// The service at `address`.
    pub fn new(address: &Address) -> Self {
        let client = NegentropyServiceClient::new(address.connect())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Self { client, address: address.clone() }
    }

    /// Waits until the service is ready, for so long at most.
    pub async fn wait_until_ready(&self, patience: Duration) -> Result<(), RemoteSyncError> {
        let mut client = self.client.clone();
        let ready = async {
            loop {
                match client.ready(Empty {}).await {
                    Ok(response) if response.get_ref().ready => return Ok(()),
                    Ok(_) => tokio::time::sleep(ASK_INTERVAL).await,
                    Err(status) => return Err(failed(&self.address, &status)),
                }
            }
        };
        let late = |_| Err(RemoteSyncError::NotReady(self.address.clone()));
        tokio::time::timeout(patience, ready).await.unwrap_or_else(late)
    }

    /// Begins a synchronisation with a relay.
    pub async fn sync(
        &self,
        peer: &PeerUrl,
        filter: &Filter,
        direction: Direction,
    ) -> Result<SyncStream, RemoteSyncError> {
        let mut request = Request::new(proto::SyncPeerRequest {
            peer_url: peer.to_string(),
            filter: Some(filter.into()),
            since: 0,
        });
        metadata::put_direction(request.metadata_mut(), direction);
        let response = self.client.clone().sync_with_peer(request).await;
        let response = response.map_err(|status| failed(&self.address, &status))?;
        let heeded = metadata::direction(response.metadata()).ok().flatten();
        Ok(SyncStream {
            is_direction_heeded: heeded == Some(direction),
            steps: response.into_inner(),
            address: self.address.clone(),
        })
    }
}

impl SyncStream {
    /// The next step; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<PeerProgress>, RemoteSyncError> {
        let step = self.steps.message().await;
        step.map(|step| step.map(Into::into)).map_err(|status| failed(&self.address, &status))
    }
}

impl From<proto::SyncProgress> for PeerProgress {
    fn from(step: proto::SyncProgress) -> Self {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        Self {
            rounds: step.round.try_into().unwrap_or_default(),
            have: count(step.have_count),
            need: count(step.need_count),
            fetched: count(step.fetched_count),
            sent: count(step.sent_count),
            is_complete: step.complete,
            error: Some(step.error).filter(|error| !error.is_empty()),
        }
    }
}

fn failed(address: &Address, status: &Status) -> RemoteSyncError {
    match status.code() {
        Code::Unavailable => RemoteSyncError::Unavailable(address.clone()),
        Code::Unimplemented => RemoteSyncError::NotAService(address.clone()),
        _ => RemoteSyncError::Refused(status.message().to_owned()),
    }
}
