//! A set that is reconciled where it is: only messages and the ids that differ travel.

use std::sync::Arc;

use async_trait::async_trait;
use reconcile::{Answer, FrameSizeLimit, Initiator, Step};
use store::{Query, ReconcileError, ReconcileSet, StoreError};
use tonic::Status;

use crate::proto::orlystore::v1 as proto;
use crate::store::attempts::Attempts;
use crate::store::convert::{from_initiator, from_query, join_answer, join_step, to_initiator};
use crate::store::failure::to_status;
use crate::store::link::Link;
use crate::store::session::{Client, Peer};

/// A set of a service of ours. The service keeps nothing it needs: it may be restarted between messages.
pub(super) struct RemoteSet {
    link: Arc<Link>,
    set: proto::Set,
}

impl RemoteSet {
    /// The set of a query. Whether it is too large is said when it is first used; one of the
    /// original's service is gathered here.
    pub(super) async fn open(
        link: Arc<Link>,
        query: Query,
        max_records: u64,
    ) -> Result<Box<dyn ReconcileSet>, ReconcileError> {
        let mut attempts = Attempts::new(&link);
        loop {
            let session = attempts.next().await?;
            match &session.peer {
                Peer::Store(_) => break,
                Peer::Database(database) => match database.gather(&query, max_records).await {
                    Ok(set) => return Ok(Box::new(set)),
                    Err(status) => attempts.failed(&session, &status)?,
                },
            }
        }
        let set = proto::Set {
            query: Some(from_query(&query)),
            max_records,
            reconciliation: rand::random(),
        };
        Ok(Box::new(Self { link, set }))
    }
}

/// Makes a call until it is answered.
macro_rules! call {
    ($self:expr, |$client:ident| $call:expr) => {{
        let mut attempts = Attempts::new(&$self.link);
        loop {
            let session = attempts.next().await?;
            let result = match &session.peer {
                Peer::Store(clients) => {
                    let $client = clients.calls.clone();
                    $call.await
                }
                Peer::Database(_) => return Err(gone().into()),
            };
            match result {
                Ok(answer) => break Ok(answer),
                Err(status) => attempts.failed(&session, &status)?,
            }
        }
    }};
}

#[async_trait]
impl ReconcileSet for RemoteSet {
    async fn count(&self) -> Result<u64, ReconcileError> {
        let request = || proto::CountSetRequest { set: Some(self.set.clone()) };
        call!(self, |client| count(client, request()))
    }

    async fn answer(
        &self,
        message: Vec<u8>,
        limit: FrameSizeLimit,
    ) -> Result<Answer, ReconcileError> {
        let request = proto::AnswerRequest {
            set: Some(self.set.clone()),
            message: message.into(),
            frame_size_limit: limit.bytes() as u64,
        };
        call!(self, |client| answer(client, request.clone()))
    }

    async fn open(
        &self,
        limit: FrameSizeLimit,
        max_rounds: u32,
    ) -> Result<(Initiator, Vec<u8>), ReconcileError> {
        let request = || proto::InitiateRequest {
            set: Some(self.set.clone()),
            frame_size_limit: limit.bytes() as u64,
            max_rounds,
        };
        call!(self, |client| initiate(client, request()))
    }

    async fn step(
        &self,
        initiator: Initiator,
        message: Vec<u8>,
    ) -> Result<(Initiator, Step), ReconcileError> {
        let request = proto::StepRequest {
            set: Some(self.set.clone()),
            initiator: Some(from_initiator(&initiator)),
            message: message.into(),
        };
        call!(self, |client| step(client, request.clone()))
    }
}

async fn count(mut client: Client, request: proto::CountSetRequest) -> Result<u64, Status> {
    Ok(client.count_set(request).await?.into_inner().count)
}

async fn answer(mut client: Client, request: proto::AnswerRequest) -> Result<Answer, Status> {
    let mut parts = client.answer(request).await?.into_inner();
    let mut answer = Answer::default();
    while let Some(part) = parts.message().await? {
        join_answer(&mut answer, part).map_err(internal)?;
    }
    Ok(answer)
}

async fn initiate(
    mut client: Client,
    request: proto::InitiateRequest,
) -> Result<(Initiator, Vec<u8>), Status> {
    let response = client.initiate(request).await?.into_inner();
    let initiator = to_initiator(response.initiator).map_err(internal)?;
    Ok((initiator, response.message.into()))
}

async fn step(
    mut client: Client,
    request: proto::StepRequest,
) -> Result<(Initiator, Step), Status> {
    let mut parts = client.step(request).await?.into_inner();
    let (mut step, mut initiator) = (Step::default(), None);
    while let Some(part) = parts.message().await? {
        initiator = join_step(&mut step, part).map_err(internal)?.or(initiator);
    }
    let initiator = initiator.ok_or_else(|| internal("the service did not say how far it is"))?;
    Ok((initiator, step))
}

fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Status {
    to_status(StoreError::internal(error))
}

fn gone() -> StoreError {
    StoreError::Unavailable("another service answers now, which knows no such sets".into())
}
