//! Listening: connections come in, HTTP is answered, WebSockets become sessions.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::SpentTokens;
use crate::guard::Guard;
use crate::http::{Body, Front, respond, respond_health};
use crate::ingest::{Ingest, Stage};
use crate::labels::Labels;
use crate::metrics::Metrics;
use crate::network::holder;
use crate::relay::{NewestSerial, Parts, Relay, follow};
use crate::room::Room;
use crate::subscriptions::Subscriptions;
use crate::{Settings, relay};

/// A client must have sent its request by then, or within the time a silent one is pinged after.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a relay until `shutdown`; then answers what was published, and closes what is open.
pub async fn serve(
    listener: TcpListener,
    health: Option<TcpListener>,
    settings: Settings,
    parts: Parts,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::new());
    let subscriptions = Arc::new(Subscriptions::new(Room::new(settings.limits.waiting_bytes / 2)));
    let newest = Arc::new(NewestSerial::default());
    let watch = relay::begin(&*parts.store, &newest).await;
    let watch = watch.context("ask the event store for its newest serial")?;
    let labels = Arc::new(Labels::read(parts.markers).await.context("read the relay's name")?);
    let operators = [&settings.access.owners[..], &settings.access.admins[..]].concat();
    let stage = Stage {
        store: Arc::clone(&parts.store),
        access: Arc::clone(&parts.access),
        operators: operators.into_iter().collect(),
        subscriptions: Arc::clone(&subscriptions),
        newest: Arc::clone(&newest),
        metrics: Arc::clone(&metrics),
    };
    let (ingest, saver) =
        Ingest::start(stage, settings.verify_threads, settings.limits.waiting_bytes / 2)
            .context("start verification")?;
    let follower = follow(
        Arc::clone(&parts.store),
        watch,
        Arc::clone(&subscriptions),
        Arc::clone(&metrics),
        Arc::clone(&newest),
        shutdown.clone(),
    );
    let guard = Guard::new(settings.guarding.clone());
    let relay = Arc::new(Relay {
        settings,
        store: parts.store,
        access: parts.access,
        management: parts.management,
        labels: Arc::clone(&labels),
        reconciler: parts.reconciler,
        ingest,
        subscriptions,
        newest,
        guard,
        spent_tokens: SpentTokens::default(),
        metrics,
        shutdown: shutdown.clone(),
    });
    let tasks = TaskTracker::new();
    tasks.spawn(follower);
    tasks.spawn(labels.follow(shutdown));
    if let Some(health) = health {
        tasks.spawn(accept_health(health, Arc::clone(&relay), tasks.clone()));
    }
    accept(listener, &relay, &tasks).await;
    tasks.close();
    let ended =
        tokio::time::timeout(relay.settings.drain + Duration::from_secs(2), tasks.wait()).await;
    if ended.is_err() {
        tracing::warn!(connections = tasks.len(), "close connections that did not end in time");
    }
    relay.ingest.close();
    saver.await.context("save what was published")
}

async fn accept(listener: TcpListener, relay: &Arc<relay::Relay>, tasks: &TaskTracker) {
    let guests = Arc::new(Guests::default());
    let forwarded = Arc::new(Guests::default());
    while let Some(accepted) = relay.shutdown.run_until_cancelled(listener.accept()).await {
        let Some((stream, address)) = accepted_or_pause(accepted).await else { continue };
        let Some(guest) = Guests::admit(&guests, relay, address.ip()) else {
            relay.metrics.connections_refused.inc();
            continue;
        };
        let (relay, forwarded, tasks) = (Arc::clone(relay), Arc::clone(&forwarded), tasks.clone());
        let header_timeout = HEADER_TIMEOUT.min(relay.settings.limits.ping_interval);
        let shutdown = relay.shutdown.clone();
        let front = Arc::new(Front { relay, address, guest, forwarded, tasks: tasks.clone() });
        let service = service_fn(move |request| respond(Arc::clone(&front), request));
        tasks.spawn(converse(stream, service, header_timeout, shutdown));
    }
}

/// Serves HTTP on a connection, until it becomes a WebSocket or ends; after `shutdown` one answer at most.
async fn converse<S>(
    stream: TcpStream,
    service: S,
    header_timeout: Duration,
    shutdown: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible>,
    S: Send + 'static,
    S::Future: Send,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = &mut connection => result,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "http connection");
    }
}

/// The health port: nothing but `/healthz`, `/metrics` and perhaps `/shutdown`, without limits.
async fn accept_health(listener: TcpListener, relay: Arc<relay::Relay>, tasks: TaskTracker) {
    let shutdown = relay.shutdown.clone();
    while let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await {
        let Some((stream, _)) = accepted_or_pause(accepted).await else { continue };
        let relay = Arc::clone(&relay);
        let service = service_fn(move |request| respond_health(Arc::clone(&relay), request));
        tasks.spawn(converse(stream, service, HEADER_TIMEOUT, shutdown.clone()));
    }
}

/// A failure to accept is mostly a lack of file descriptors: clients that leave free some.
async fn accepted_or_pause(
    accepted: std::io::Result<(TcpStream, SocketAddr)>,
) -> Option<(TcpStream, SocketAddr)> {
    match accepted {
        Ok((stream, address)) => {
            // Small answers must not wait for a full packet.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "set TCP_NODELAY");
            }
            Some((stream, address))
        }
        Err(error) => {
            tracing::warn!(%error, "accept a connection");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// How many connections there are, in all and by address.
#[derive(Default)]
pub(crate) struct Guests(Mutex<HashMap<IpAddr, usize>>);

/// A place among the connections, given back when dropped.
pub(crate) struct Guest {
    guests: Arc<Guests>,
    ip: IpAddr,
}

impl Guests {
    pub(crate) fn admit(guests: &Arc<Self>, relay: &relay::Relay, ip: IpAddr) -> Option<Guest> {
        let limits = &relay.settings.limits;
        let is_exempt = ip.to_canonical().is_loopback() || relay.settings.is_trusted_proxy(ip);
        let ip = holder(ip);
        let mut counts = guests.0.lock();
        let total: usize = counts.values().sum();
        let from_here = counts.get(&ip).copied().unwrap_or_default();
        if total >= limits.connections || (from_here >= limits.connections_per_ip && !is_exempt) {
            return None;
        }
        *counts.entry(ip).or_default() += 1;
        Some(Guest { guests: Arc::clone(guests), ip })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut counts = self.guests.0.lock();
        if let Some(count) = counts.get_mut(&self.ip) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.ip);
            }
        }
    }
}
