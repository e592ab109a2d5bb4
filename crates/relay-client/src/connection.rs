//! A connection to a relay.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use event::{EventRef, Keys};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header::USER_AGENT};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::authentication::Authentication;
use crate::dial::{Reach, Stream, dial};
use crate::reader::{Reader, ended};
use crate::routes::Routes;
use crate::traffic::{Meter, Traffic};
use crate::verifiers::Verifiers;
use crate::{ClientError, PeerUrl};

/// Messages that wait to be sent.
const OUTGOING: usize = 64;
/// How long saying goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// How to talk to a relay.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long the relay may be silent while something is asked of it.
    pub timeout: Duration,
    /// Bytes of a message.
    pub max_message_bytes: usize,
    /// Bytes of an event.
    pub max_event_bytes: usize,
    /// Who we are, should the relay ask (NIP-42).
    pub keys: Option<Keys>,
    /// Where the connection may lead.
    pub reach: Reach,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            timeout: Duration::from_secs(60),
            max_message_bytes: 16 << 20,
            max_event_bytes: 1 << 20,
            keys: None,
            reach: Reach::Anywhere,
        }
    }
}

/// What the relay made of a published event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it has the event now.
    pub accepted: bool,
    /// `prefix: text`, or nothing.
    pub reason: String,
}

/// An open connection. Requests run side by side; dropping it ends them all.
pub struct Connection {
    pub(crate) url: PeerUrl,
    pub(crate) options: Options,
    pub(crate) routes: Arc<Routes>,
    pub(crate) verifiers: Verifiers,
    authentication: Arc<Authentication>,
    outgoing: mpsc::Sender<String>,
    meter: Arc<Meter>,
    next_number: AtomicU64,
    writing: JoinSet<()>,
    _reading: JoinSet<()>,
}

impl Connection {
    /// Connects, and tells the relay who we are if it asks and there are keys.
    pub async fn open(url: &PeerUrl, options: &Options) -> Result<Self, ClientError> {
        let handshake = tokio::time::timeout(options.connect_timeout, handshake(url, options));
        let socket = handshake
            .await
            .map_err(|_| ClientError::connect_timed_out(url, options.connect_timeout))?
            .map_err(|error| ClientError::connect(url, refused_handshake(error)))?;
        let (sink, stream) = socket.split();
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        let (urgent, urgent_queue) = mpsc::unbounded_channel();
        let routes = Arc::new(Routes::new());
        let authentication = Arc::new(Authentication::new(options.keys.clone(), url.clone()));
        let meter = Arc::new(Meter::default());
        let reader = Reader {
            stream,
            routes: Arc::clone(&routes),
            authentication: Arc::clone(&authentication),
            urgent,
            meter: Arc::clone(&meter),
            timeout: options.timeout,
            max_event_bytes: options.max_event_bytes,
        };
        let writer = Writer { sink, queue, urgent: urgent_queue, meter: Arc::clone(&meter) };
        let (mut reading, mut writing) = (JoinSet::new(), JoinSet::new());
        reading.spawn(reader.run());
        writing.spawn(writer.run(Arc::clone(&routes)));
        let connection = Self {
            url: url.clone(),
            options: options.clone(),
            routes,
            verifiers: Verifiers::default(),
            authentication,
            outgoing,
            meter,
            next_number: AtomicU64::new(0),
            writing,
            _reading: reading,
        };
        connection.authenticate().await?;
        Ok(connection)
    }

    /// Waits until the relay knows us; at once if there are no keys or the relay does not ask.
    pub async fn authenticate(&self) -> Result<(), ClientError> {
        self.authentication.settled(self.options.timeout).await
    }

    /// Whether there are keys to authenticate with.
    pub fn has_keys(&self) -> bool {
        self.authentication.has_keys()
    }

    /// Publishes an event; what comes back waits for the relay's OK.
    ///
    /// Waits while many messages wait to be sent. How many events are unanswered is the caller's choice.
    pub async fn publish(
        &self,
        event: EventRef<'_>,
    ) -> Result<impl Future<Output = Result<Verdict, ClientError>> + use<>, ClientError> {
        let verdict: oneshot::Receiver<Verdict> = self.routes.publish(event.id())?;
        let mut text = b"[\"EVENT\",".to_vec();
        event.push_json(&mut text);
        text.push(b']');
        self.send(String::from_utf8(text).expect("an event is UTF-8")).await?;
        let routes = Arc::clone(&self.routes);
        Ok(async move { verdict.await.map_err(|_| routes.ended()) })
    }

    /// How much went over the connection so far.
    pub fn traffic(&self) -> Traffic {
        self.meter.read()
    }

    /// Sends what waits to be sent, and says goodbye.
    pub async fn close(mut self) {
        drop(self.outgoing);
        // A relay that does not read is not waited for; it has answered all it was asked.
        drop(tokio::time::timeout(FAREWELL, self.writing.join_next()).await);
    }

    pub(crate) async fn send(&self, text: String) -> Result<(), ClientError> {
        self.outgoing.send(text).await.map_err(|_| self.routes.ended())
    }

    /// Sends if there is room; for messages that may be lost.
    pub(crate) fn try_send(&self, text: String) {
        drop(self.outgoing.try_send(text));
    }

    /// A subscription id that was not used on this connection.
    pub(crate) fn new_sub(&self, start: &str) -> String {
        format!("{start}{}", self.next_number.fetch_add(1, Ordering::Relaxed))
    }
}

async fn handshake(
    url: &PeerUrl,
    options: &Options,
) -> Result<WebSocketStream<Box<dyn Stream>>, SocketError> {
    let mut request = url.as_str().into_client_request()?;
    let agent = HeaderValue::from_static(concat!("orly/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(USER_AGENT, agent);
    let config = WebSocketConfig::default()
        .max_message_size(Some(options.max_message_bytes))
        .max_frame_size(Some(options.max_message_bytes));
    let stream = dial(url, options.reach).await?;
    Ok(client_async_with_config(request, stream, Some(config)).await?.0)
}

fn refused_handshake(error: SocketError) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        SocketError::Io(error) => error.into(),
        SocketError::Http(response) => {
            format!("it answers HTTP {} instead of opening a WebSocket", response.status()).into()
        }
        other => other.into(),
    }
}

/// The writing half of a connection.
struct Writer {
    sink: SplitSink<WebSocketStream<Box<dyn Stream>>, Message>,
    queue: mpsc::Receiver<String>,
    urgent: mpsc::UnboundedReceiver<String>,
    meter: Arc<Meter>,
}

impl Writer {
    /// Writes until nobody has anything more to send.
    async fn run(mut self, routes: Arc<Routes>) {
        // A relay that does not read must not hold up those who hear that the connection has ended.
        let stop = routes.stop.clone();
        if let Some(Err(error)) = stop.run_until_cancelled(self.write()).await {
            routes.end(ended(error));
        }
    }

    async fn write(&mut self) -> Result<(), SocketError> {
        loop {
            let text = tokio::select! {
                biased;
                Some(text) = self.urgent.recv() => text,
                text = self.queue.recv() => match text {
                    Some(text) => text,
                    None => break,
                },
            };
            self.feed(text).await?;
            while let Ok(text) = self.queue.try_recv() {
                self.feed(text).await?;
            }
            self.sink.flush().await?;
        }
        self.sink.close().await
    }

    async fn feed(&mut self, text: String) -> Result<(), SocketError> {
        self.meter.add_sent(text.len());
        self.sink.feed(Message::text(text)).await
    }
}
