//! The service: sessions of clients and peers of this process, for relays and operators to call.

mod triggering;

use std::pin::Pin;
use std::sync::Arc;

use event::{Filter, Timestamp};
use futures_util::Stream;
use relay_client::PeerUrl;
use relay_sync::{
    AddPeerError, NegentropyRefusal, NegentropySessions, PeerSync, Reconciler, Request as Wanted,
    TriggerError,
};
use store::{Query, Viewer};
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::messages::{peer_url, session_key, store_failed, subscription};
use super::{metadata, syncing};
use crate::connect::MESSAGE_LIMIT;
use crate::convert::Malformed;
use crate::proto::orlysync::common::v1::{Empty, Filter as WireFilter, ReadyResponse};
use crate::proto::orlysync::negentropy::v1 as proto;
use crate::{Readiness, Service};
use proto::negentropy_service_server::{NegentropyService, NegentropyServiceServer};

/// `orlysync.negentropy.v1.NegentropyService`.
pub struct NegentropyServer {
    sessions: Arc<NegentropySessions>,
    peers: Arc<PeerSync>,
    readiness: Readiness,
    shutdown: CancellationToken,
}

impl NegentropyServer {
    /// Serves the sessions and peers. Both are run by whoever made them.
    pub fn new(
        sessions: Arc<NegentropySessions>,
        peers: Arc<PeerSync>,
        readiness: Readiness,
        shutdown: CancellationToken,
    ) -> Self {
        Self { sessions, peers, readiness, shutdown }
    }

    /// The service, to be added to a server.
    pub fn into_service(self) -> Service {
        let service = NegentropyServiceServer::new(self)
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Service::new(service)
    }

    async fn open(
        &self,
        viewer: Result<Viewer, Malformed>,
        request: proto::NegOpenRequest,
    ) -> Result<Answer, NegentropyRefusal> {
        let viewer = viewer.map_err(invalid)?;
        let key = session_key(request.connection_id, &request.subscription_id).map_err(invalid)?;
        let filter = filter(request.filter).map_err(invalid)?.unwrap_or_default();
        if request.initial_message.is_empty() {
            self.sessions.close(&key).await;
            return Err(NegentropyRefusal::new("closed: the client has to send the first message"));
        }
        let query = Query { filters: vec![filter], viewer };
        let answer = self.sessions.begin(key, query, request.initial_message.to_vec()).await?;
        Ok(Answer { message: answer.message, complete: answer.complete })
    }

    async fn answer(&self, request: proto::NegMsgRequest) -> Result<Answer, NegentropyRefusal> {
        let key = session_key(request.connection_id, &request.subscription_id).map_err(invalid)?;
        let answer = self.sessions.answer(&key, request.message.to_vec()).await?;
        Ok(Answer { message: answer.message, complete: answer.complete })
    }
}

/// What a message of a client is answered.
struct Answer {
    message: Vec<u8>,
    complete: bool,
}

/// The answer to a client, in either of two messages that have the same fields.
macro_rules! response {
    ($message:ident, $result:expr) => {{
        let mut response = Response::new(proto::$message::default());
        match $result {
            Ok(Answer { message, complete }) => {
                response.get_mut().message = message.into();
                response.get_mut().complete = complete;
            }
            Err(refusal) => response.get_mut().error = told(refusal, response.metadata_mut()),
        }
        response
    }};
}

#[tonic::async_trait]
impl NegentropyService for NegentropyServer {
    async fn ready(&self, _: Request<Empty>) -> Result<Response<ReadyResponse>, Status> {
        Ok(Response::new(ReadyResponse { ready: self.readiness.is_ready() }))
    }

    async fn start(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.peers.set_active(true);
        Ok(done())
    }

    async fn stop(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.peers.set_active(false);
        Ok(done())
    }

    async fn handle_neg_open(
        &self,
        request: Request<proto::NegOpenRequest>,
    ) -> Result<Response<proto::NegOpenResponse>, Status> {
        let viewer = metadata::viewer(request.metadata());
        let result = Box::pin(self.open(viewer, request.into_inner())).await;
        let mut response = response!(NegOpenResponse, result);
        metadata::confirm_viewer(response.metadata_mut());
        Ok(response)
    }

    async fn handle_neg_msg(
        &self,
        request: Request<proto::NegMsgRequest>,
    ) -> Result<Response<proto::NegMsgResponse>, Status> {
        let result = Box::pin(self.answer(request.into_inner())).await;
        Ok(response!(NegMsgResponse, result))
    }

    async fn handle_neg_close(
        &self,
        request: Request<proto::NegCloseRequest>,
    ) -> Result<Response<Empty>, Status> {
        let request = request.into_inner();
        let key = session_key(request.connection_id, &request.subscription_id)?;
        self.sessions.close(&key).await;
        Ok(done())
    }

    type SyncWithPeerStream =
        Pin<Box<dyn Stream<Item = Result<proto::SyncProgress, Status>> + Send>>;

    async fn sync_with_peer(
        &self,
        request: Request<proto::SyncPeerRequest>,
    ) -> Result<Response<Self::SyncWithPeerStream>, Status> {
        let direction = metadata::direction(request.metadata())?;
        let request = request.into_inner();
        let url = peer_url(&request.peer_url)?;
        let since = u64::try_from(request.since).ok().filter(|since| *since > 0);
        let since = since.map(Timestamp::from_secs);
        let wanted = Wanted { filter: filter(request.filter)?, since, direction };
        let peers = Arc::clone(&self.peers);
        let stream = syncing::stream(peers, url, wanted, self.shutdown.clone());
        let mut response: Response<Self::SyncWithPeerStream> = Response::new(Box::pin(stream));
        if let Some(direction) = direction {
            metadata::put_direction(response.metadata_mut(), direction);
        }
        Ok(response)
    }

    async fn get_sync_status(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<proto::SyncStatusResponse>, Status> {
        let states: Vec<proto::PeerSyncState> =
            self.peers.status().into_iter().map(Into::into).collect();
        Ok(Response::new(proto::SyncStatusResponse {
            active: self.peers.is_active(),
            last_sync: states.iter().map(|state| state.last_sync).max().unwrap_or_default(),
            peer_count: states.len().try_into().unwrap_or(i32::MAX),
            peer_states: states,
        }))
    }

    async fn get_peers(&self, _: Request<Empty>) -> Result<Response<proto::PeersResponse>, Status> {
        let peers = self.peers.status().into_iter().map(|state| state.url.to_string());
        Ok(Response::new(proto::PeersResponse { peers: peers.collect() }))
    }

    async fn add_peer(
        &self,
        request: Request<proto::AddPeerRequest>,
    ) -> Result<Response<Empty>, Status> {
        let url = peer_url(&request.into_inner().peer_url)?;
        match self.peers.enlist(url).await {
            Ok(_) => Ok(done()),
            Err(AddPeerError::Store(error)) => Err(store_failed(&error)),
            Err(error @ AddPeerError::TooMany { .. }) => {
                Err(Status::resource_exhausted(error.to_string()))
            }
        }
    }

    async fn remove_peer(
        &self,
        request: Request<proto::RemovePeerRequest>,
    ) -> Result<Response<Empty>, Status> {
        let url = peer_url(&request.into_inner().peer_url)?;
        match self.peers.dismiss(&url).await {
            Ok(true) => Ok(done()),
            Ok(false) => Err(unknown(&url)),
            Err(error) => Err(store_failed(&error)),
        }
    }

    async fn trigger_sync(
        &self,
        request: Request<proto::TriggerSyncRequest>,
    ) -> Result<Response<Empty>, Status> {
        let request = request.into_inner();
        let url = match &*request.peer_url {
            "" => None,
            text => Some(peer_url(text)?),
        };
        let url = url.as_ref();
        match filter(request.filter)? {
            Some(filter) => self.sync_with_filter(url.cloned(), filter).await?,
            None => self.peers.trigger(url).await.map_err(|error| match (error, url) {
                (TriggerError::Unknown, Some(url)) => unknown(url),
                (TriggerError::Unknown, None) => Status::not_found(error.to_string()),
                (TriggerError::Stopped, _) => {
                    Status::failed_precondition(format!("{error}: call Start first"))
                }
            })?,
        }
        self.check(url)?;
        Ok(done())
    }

    async fn get_peer_sync_state(
        &self,
        request: Request<proto::PeerSyncStateRequest>,
    ) -> Result<Response<proto::PeerSyncStateResponse>, Status> {
        let url = peer_url(&request.into_inner().peer_url)?;
        let state = self.peers.peer_status(&url).map(Into::into);
        let found = state.is_some();
        Ok(Response::new(proto::PeerSyncStateResponse { state, found }))
    }

    async fn list_sessions(
        &self,
        _: Request<Empty>,
    ) -> Result<Response<proto::ListSessionsResponse>, Status> {
        let sessions = self.sessions.list().into_iter().map(Into::into).collect();
        Ok(Response::new(proto::ListSessionsResponse { sessions }))
    }

    async fn close_session(
        &self,
        request: Request<proto::CloseSessionRequest>,
    ) -> Result<Response<Empty>, Status> {
        let request = request.into_inner();
        if request.connection_id.is_empty() {
            self.sessions.close_all(&subscription(&request.subscription_id)?);
        } else {
            let key = session_key(request.connection_id, &request.subscription_id)?;
            self.sessions.close(&key).await;
        }
        Ok(done())
    }
}

fn done() -> Response<Empty> {
    Response::new(Empty {})
}

fn filter(filter: Option<WireFilter>) -> Result<Option<Filter>, Malformed> {
    filter.map(Filter::try_from).transpose()
}

/// What a caller is told of a peer that is none.
fn unknown(url: &PeerUrl) -> Status {
    Status::not_found(format!("{url} is not a peer that is kept in step: call AddPeer first"))
}

fn invalid(malformed: Malformed) -> NegentropyRefusal {
    NegentropyRefusal::new(format!("invalid: {malformed}"))
}

/// The reason, after what has no field was put beside it.
fn told(refusal: NegentropyRefusal, metadata: &mut MetadataMap) -> String {
    metadata::put_max_records(metadata, refusal.max_records);
    refusal.reason
}
