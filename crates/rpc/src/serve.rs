//! A gRPC server: its services, health, reflection, and an end that waits for nobody too long.

mod health;
mod link;
mod listener;
mod readiness;

use std::convert::Infallible;
use std::time::Duration;

use futures_util::stream;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{Service as HttpService, http};
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};

use crate::connect::{CONNECTION_WINDOW, FRAME_BYTES, STREAM_WINDOW};
use crate::proto::DESCRIPTORS;

use health::Health;
use link::Link;
pub use listener::{BindError, Listener};
pub use readiness::Readiness;

/// How long calls may take to finish once the end has begun.
const GRACE: Duration = Duration::from_secs(5);
/// How many calls a connection may have open; each subscription of a relay may be one.
const MAX_CONCURRENT_CALLS: u32 = 4096;
/// A client that does not answer for so long is gone, and what it watches is let go.
const PING_INTERVAL: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// One service, ready to be served.
pub struct Service {
    name: &'static str,
    add: Box<dyn FnOnce(&mut RoutesBuilder) + Send>,
}

/// A server that is being put together.
pub struct Server {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    readiness: Readiness,
    shutdown: CancellationToken,
}

/// The server failed.
#[derive(Debug, thiserror::Error)]
#[error("serve gRPC")]
pub struct ServeError(#[from] tonic::transport::Error);

impl Service {
    /// Takes what tonic generated, message limits set.
    pub(crate) fn new<S>(service: S) -> Self
    where
        S: HttpService<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let add = |routes: &mut RoutesBuilder| {
            routes.add_service(service);
        };
        Self { name: S::NAME, add: Box::new(add) }
    }
}

impl Server {
    /// A server that says it is ready when `readiness` does, and ends when `shutdown` is cancelled.
    ///
    /// Services whose streams have no end of their own must end them at `shutdown` too.
    pub fn new(readiness: Readiness, shutdown: CancellationToken) -> Self {
        Self { routes: Routes::builder(), names: Vec::new(), readiness, shutdown }
    }

    /// Adds a service.
    #[must_use]
    pub fn with(mut self, service: Service) -> Self {
        (service.add)(&mut self.routes);
        self.names.push(service.name);
        self
    }

    /// Serves as [`Self::run`] does, and does meanwhile the `work` that the services need. Where one of both fails,
    /// the other ends too; the shutdown ends both, and is begun when this returns.
    pub async fn run_with<E: From<ServeError>>(
        self,
        listener: Listener,
        work: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let shutdown = self.shutdown.clone();
        let _shut_down = shutdown.drop_guard_ref();
        let serving = async { Ok(self.run(listener).await?) };
        let working = async { shutdown.run_until_cancelled(work).await.unwrap_or(Ok(())) };
        tokio::try_join!(serving, working).map(|_| ())
    }

    /// Serves until the shutdown, then for at most five seconds more until all calls have ended.
    pub async fn run(mut self, listener: Listener) -> Result<(), ServeError> {
        let health = Health::new(self.names.clone(), self.readiness, self.shutdown.clone());
        self.routes.add_service(health.into_server());
        add_reflection(&mut self.routes, &self.names);
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(MAX_CONCURRENT_CALLS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_BYTES)
            .http2_keepalive_interval(Some(PING_INTERVAL))
            .http2_keepalive_timeout(Some(PING_TIMEOUT))
            .add_routes(self.routes.routes());
        // Cancelled when this returns, however it does: connections end with it.
        let cut = CancellationToken::new();
        let _cut = cut.clone().drop_guard();
        let links = stream::unfold((listener, cut), async |(listener, cut)| {
            let link = Link::new(listener.accept().await, cut.clone());
            Some((Ok::<_, Infallible>(link), (listener, cut)))
        });
        let serving =
            server.serve_with_incoming_shutdown(links, self.shutdown.clone().cancelled_owned());
        let grace_is_over = async {
            self.shutdown.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        tokio::select! {
            served = serving => Ok(served?),
            () = grace_is_over => {
                tracing::warn!("some calls did not end in time and are cut off");
                Ok(())
            }
        }
    }
}

/// Says what is served, to clients that ask in either version of the protocol.
fn add_reflection(routes: &mut RoutesBuilder, names: &[&'static str]) {
    let builder = || {
        let builder = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .with_service_name("grpc.health.v1.Health");
        names.iter().fold(builder, |builder, name| builder.with_service_name(*name))
    };
    let v1 = builder().with_service_name("grpc.reflection.v1.ServerReflection").build_v1();
    routes.add_service(v1.expect("the descriptors are ours"));
    let v1alpha =
        builder().with_service_name("grpc.reflection.v1alpha.ServerReflection").build_v1alpha();
    routes.add_service(v1alpha.expect("the descriptors are ours"));
}

#[cfg(test)]
mod tests;
