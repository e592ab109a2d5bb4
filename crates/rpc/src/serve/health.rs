//! `grpc.health.v1`: the whole server, and each of its services, serve when the process is ready.

use std::pin::Pin;

use futures_util::{Stream, StreamExt, stream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health as HealthService, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::Readiness;

/// Answers health checks.
pub(crate) struct Health {
    names: Vec<&'static str>,
    readiness: Readiness,
    shutdown: CancellationToken,
}

impl Health {
    pub(crate) fn new(
        names: Vec<&'static str>,
        readiness: Readiness,
        shutdown: CancellationToken,
    ) -> Self {
        Self { names, readiness, shutdown }
    }

    pub(crate) fn into_server(self) -> HealthServer<Self> {
        HealthServer::new(self)
    }

    fn knows(&self, name: &str) -> bool {
        name.is_empty() || self.names.contains(&name)
    }
}

#[tonic::async_trait]
impl HealthService for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let name = &request.get_ref().service;
        if !self.knows(name) {
            return Err(Status::not_found(format!("service \"{name}\" is not served here")));
        }
        let is_ready = self.readiness.is_ready() && !self.shutdown.is_cancelled();
        Ok(Response::new(response(is_ready)))
    }

    type WatchStream =
        Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send + 'static>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        if !self.knows(&request.get_ref().service) {
            let unknown = HealthCheckResponse { status: ServingStatus::ServiceUnknown.into() };
            // Such a client waits for the service to appear, which it never does.
            let stream = stream::iter([Ok(unknown)]).chain(stream::pending());
            return Ok(Response::new(Box::pin(
                stream.take_until(self.shutdown.clone().cancelled_owned()),
            )));
        }
        let mut follow = self.readiness.follow();
        follow.mark_changed();
        let states = stream::unfold(follow, async |mut follow| {
            follow.changed().await.ok()?;
            let is_ready = *follow.borrow_and_update();
            Some((Ok(response(is_ready)), follow))
        });
        let last = stream::iter([Ok(response(false))]);
        let stream = states.take_until(self.shutdown.clone().cancelled_owned()).chain(last);
        Ok(Response::new(Box::pin(stream)))
    }
}

fn response(is_ready: bool) -> HealthCheckResponse {
    let status = if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing };
    HealthCheckResponse { status: status.into() }
}
