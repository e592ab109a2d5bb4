//! Whether a service is there and ready, asked from outside.

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;

use crate::Address;
use crate::proto::orlysync::common::v1::{Empty, ReadyResponse};

/// A kind of service, which is asked by its own `Ready` if it does not know `grpc.health.v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// The event store.
    Database,
    /// Access control.
    Access,
    /// Synchronisation by serials.
    Distributed,
    /// Replication in a cluster.
    Cluster,
    /// Relay groups.
    RelayGroup,
    /// Reconciliation.
    Negentropy,
}

/// What a service says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceHealth {
    /// It serves.
    Serving,
    /// It is there and cannot serve now.
    NotServing(String),
    /// It does not answer.
    Silent(String),
}

/// Asks a service how it is, over one connection for as long as that holds.
#[derive(Clone, Debug)]
pub struct ServiceProbe {
    address: Address,
    kind: ServiceKind,
    channel: Channel,
}

impl ServiceKind {
    fn ready(self) -> PathAndQuery {
        PathAndQuery::from_static(match self {
            Self::Database => "/orlydb.v1.DatabaseService/Ready",
            Self::Access => "/orlyacl.v1.ACLService/Ready",
            Self::Distributed => "/orlysync.distributed.v1.DistributedSyncService/Ready",
            Self::Cluster => "/orlysync.cluster.v1.ClusterSyncService/Ready",
            Self::RelayGroup => "/orlysync.relaygroup.v1.RelayGroupService/Ready",
            Self::Negentropy => "/orlysync.negentropy.v1.NegentropyService/Ready",
        })
    }
}

impl ServiceProbe {
    /// Of the service at this address; has to be made inside a runtime.
    pub fn new(address: Address, kind: ServiceKind) -> Self {
        let channel = address.connect();
        Self { address, kind, channel }
    }

    /// Asks once: by `grpc.health.v1`, or else by the service's own `Ready`. Whoever knows neither but speaks
    /// gRPC counts as serving, as some services of the original do. Sets no time limit.
    pub async fn ask(&self) -> ServiceHealth {
        let mut client = HealthClient::new(self.channel.clone());
        let answer = match client.check(HealthCheckRequest::default()).await {
            Ok(response) => match response.into_inner().status() {
                ServingStatus::Serving => return ServiceHealth::Serving,
                status => return self.not_serving(status.as_str_name()),
            },
            Err(status) if matches!(status.code(), Code::Unimplemented | Code::NotFound) => {
                self.ready().await
            }
            Err(status) => Err(status),
        };
        match answer {
            Ok(true) => ServiceHealth::Serving,
            Ok(false) => self.not_serving("not ready"),
            Err(status) if status.code() == Code::Unimplemented => ServiceHealth::Serving,
            Err(status) => ServiceHealth::Silent(format!("{} {}", self.address, reason(&status))),
        }
    }

    fn not_serving(&self, what: &str) -> ServiceHealth {
        ServiceHealth::NotServing(format!("{} {what}", self.address))
    }

    /// `Empty` and `ReadyResponse` are the same on the wire in all packages.
    async fn ready(&self) -> Result<bool, Status> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec: ProstCodec<Empty, ReadyResponse> = ProstCodec::default();
        let response = client.unary(Request::new(Empty {}), self.kind.ready(), codec).await?;
        Ok(response.into_inner().ready)
    }
}

/// The innermost reason: what is around it only says that a connection failed.
fn reason(status: &Status) -> String {
    let mut reason: &dyn std::error::Error = status;
    while let Some(source) = reason.source() {
        reason = source;
    }
    if std::ptr::addr_eq(reason, status) { status.message().to_owned() } else { reason.to_string() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;
    use tokio_util::sync::CancellationToken;
    use tonic::service::RoutesBuilder;
    use tonic::transport::server::TcpIncoming;

    use super::*;
    use crate::{Listener, Readiness, Server};

    #[tokio::test]
    async fn a_service_of_ours_is_silent_then_not_ready_then_serving() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("db.sock").display().to_string();
        let address: Address = format!("unix:{path}").parse().unwrap();
        let probe = ServiceProbe::new(address.clone(), ServiceKind::Database);
        let ServiceHealth::Silent(reason) = probe.ask().await else { panic!() };
        assert!(reason.contains(&path) && reason.contains("No such file"), "{reason}");

        let (readiness, shutdown) = (Readiness::default(), CancellationToken::new());
        let listener = Listener::bind(&address).await.unwrap();
        let server = Server::new(readiness.clone(), shutdown.clone());
        let serving = tokio::spawn(server.run(listener));
        let not_serving = ServiceHealth::NotServing(format!("unix:{path} NOT_SERVING"));
        assert_eq!(probe.ask().await, not_serving);
        readiness.set(true);
        assert_eq!(probe.ask().await, ServiceHealth::Serving);
        shutdown.cancel();
        serving.await.unwrap().unwrap();
        assert!(matches!(probe.ask().await, ServiceHealth::Silent(_)));
    }

    #[tokio::test]
    async fn a_service_that_knows_neither_call_serves_when_it_speaks_grpc() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string().parse().unwrap();
        let serving = tokio::spawn(async move {
            let routes = RoutesBuilder::default().routes();
            let incoming = TcpIncoming::from(listener);
            tonic::transport::Server::builder()
                .add_routes(routes)
                .serve_with_incoming(incoming)
                .await
        });
        let probe = ServiceProbe::new(address, ServiceKind::Cluster);
        let answer = tokio::time::timeout(Duration::from_secs(10), probe.ask()).await.unwrap();
        assert_eq!(answer, ServiceHealth::Serving);
        serving.abort();
    }
}
