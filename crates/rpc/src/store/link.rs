//! The way to the service: who is there, found when it is first needed and again whenever it was lost.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use parking_lot::Mutex;
use relay_sync::SyncStore;
use store::{ReconcileError, Serial, StoreError};
use tokio::time::Instant;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::database::DatabaseClient;
use super::exchange::Exchange;
use super::failure;
use super::files::{OpenFiles, SharedFiles};
use crate::proto::orlystore::v1 as proto;
use crate::proto::orlystore::v1::store_service_client::StoreServiceClient;
use crate::{Address, DATABASE_MESSAGE_LIMIT};

/// How long the service may take to say who it is.
const GREETING: Duration = Duration::from_secs(5);
/// How long a failure to connect stands for all who ask.
const PAUSE: Duration = Duration::from_millis(50);

/// How many connections are for queries at most.
const MOST_EXCHANGES: usize = 4;

/// The client of a service of ours.
pub(super) type Client = StoreServiceClient<Channel>;

/// The way to one service.
pub(super) struct Link {
    address: Address,
    open: Option<OpenFiles>,
    /// How long nobody may be there at the start before the log says so.
    quiet: Duration,
    state: Mutex<State>,
    connecting: tokio::sync::Mutex<()>,
}

struct State {
    session: Option<Arc<Session>>,
    /// The files of the last session: they can be read while the service is away.
    files: Option<Files>,
    down: Option<Down>,
    started: Instant,
    /// Whether the log says that nobody is there.
    told: bool,
    newest: Serial,
}

/// Why nobody is there.
struct Down {
    tried: Instant,
    error: String,
}

#[derive(Clone)]
struct Files {
    wire: proto::SharedFiles,
    store: Arc<dyn SyncStore>,
}

/// A service as it was when the connection came about.
pub(super) struct Session {
    pub(super) peer: Peer,
    /// The newest serial then.
    pub(super) last_serial: Serial,
}

/// How many queries a service reads for us at once: each connection is read for by one thread.
fn exchanges() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_EXCHANGES))
}

/// Who is at the other end.
pub(super) enum Peer {
    /// A service of ours.
    Store(Box<Clients>),
    /// The database service of the original.
    Database(Arc<DatabaseClient>),
}

/// Clients of a service of ours.
pub(super) struct Clients {
    /// For what must not wait behind answers to queries.
    pub(super) calls: Client,
    /// For what takes a while.
    pub(super) reads: Client,
    /// For queries, each with a connection of its own.
    exchanges: Vec<Exchange>,
}

impl Clients {
    /// Where a query is answered first, it seems.
    pub(super) fn exchange(&self) -> &Exchange {
        let least = self.exchanges.iter().min_by_key(|exchange| exchange.load());
        least.expect("there is one at least")
    }
}

impl Link {
    pub(super) fn new(address: Address) -> Self {
        let state = State {
            session: None,
            files: None,
            down: None,
            started: Instant::now(),
            told: false,
            newest: Serial::default(),
        };
        Self {
            address,
            open: None,
            quiet: Duration::from_secs(10),
            state: Mutex::new(state),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    pub(super) fn set_open(&mut self, open: OpenFiles) {
        self.open = Some(open);
    }

    pub(super) fn set_quiet(&mut self, quiet: Duration) {
        self.quiet = quiet;
    }

    /// The address of the service.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// The session, a new one if there is none. While nobody is there this fails at once.
    pub(super) async fn session(&self) -> Result<Arc<Session>, StoreError> {
        if let Some(session) = self.current() {
            return Ok(session);
        }
        let _one_at_a_time = self.connecting.lock().await;
        {
            let state = self.state.lock();
            if let Some(session) = &state.session {
                return Ok(Arc::clone(session));
            }
            if let Some(down) = &state.down
                && down.tried.elapsed() < PAUSE
            {
                return Err(self.unavailable(&down.error));
            }
        }
        match self.connect().await {
            Ok((session, files)) => Ok(self.found(session, files)),
            Err(error) => {
                self.missed(&error);
                Err(self.unavailable(&error))
            }
        }
    }

    /// The session, if there is one now.
    pub(super) fn current(&self) -> Option<Arc<Session>> {
        self.state.lock().session.clone()
    }

    /// The files, if they are open: reading them is quicker than asking the service.
    pub(super) fn files(&self) -> Option<Arc<dyn SyncStore>> {
        self.state.lock().files.as_ref().map(|files| Arc::clone(&files.store))
    }

    /// The newest serial that was seen.
    pub(super) fn newest(&self) -> Serial {
        self.state.lock().newest
    }

    pub(super) fn raise_newest(&self, serial: Serial) {
        let mut state = self.state.lock();
        state.newest = state.newest.max(serial);
    }

    /// What a call that failed means: what the service said, or, if it failed on its way, that the
    /// session is over.
    pub(super) fn failed(&self, session: &Arc<Session>, status: &Status) -> Lost {
        match failure::from_status(status) {
            // The service says that it is about to go.
            Some(ReconcileError::Store(StoreError::Unavailable(_))) => {}
            Some(error) => return Lost::No(error),
            None if is_refusal(status.code()) => {
                return Lost::No(StoreError::internal(tell(status)).into());
            }
            None => {}
        }
        self.lose(session, status);
        Lost::Maybe(self.unavailable(&tell(status)))
    }

    fn lose(&self, session: &Arc<Session>, status: &Status) {
        let mut state = self.state.lock();
        if state.session.as_ref().is_some_and(|current| Arc::ptr_eq(current, session)) {
            state.session = None;
            state.told = true;
            let error = tell(status);
            tracing::warn!(address = %self.address, %error, "the event store is away");
        }
    }

    async fn connect(&self) -> Result<(Session, Option<proto::SharedFiles>), String> {
        let calls = self.address.connect();
        let client = |channel| {
            StoreServiceClient::new(channel)
                .max_decoding_message_size(DATABASE_MESSAGE_LIMIT)
                .max_encoding_message_size(DATABASE_MESSAGE_LIMIT)
        };
        let greeting = async {
            match client(calls.clone()).status(proto::StatusRequest {}).await {
                Ok(status) => {
                    let proto::StatusResponse { last_serial, files, .. } = status.into_inner();
                    let reads = (0..exchanges()).map(|_| client(self.address.connect()));
                    let reads: Vec<_> = reads.collect();
                    let exchanges = try_join_all(reads.iter().cloned().map(Exchange::open)).await;
                    let peer = Peer::Store(Box::new(Clients {
                        calls: client(calls),
                        reads: reads[0].clone(),
                        exchanges: exchanges.map_err(|status| tell(&status))?,
                    }));
                    Ok((Session { peer, last_serial: Serial::new(last_serial) }, files))
                }
                Err(status) if status.code() == Code::Unimplemented => {
                    let database =
                        DatabaseClient::greet(calls).await.map_err(|status| tell(&status))?;
                    let last_serial = database.last_serial();
                    let peer = Peer::Database(Arc::new(database));
                    Ok((Session { peer, last_serial }, None))
                }
                Err(status) => Err(tell(&status)),
            }
        };
        let greeting = tokio::time::timeout(GREETING, Box::pin(greeting)).await;
        let (session, wire) =
            greeting.map_err(|_| format!("no answer within {} s", GREETING.as_secs()))??;
        let wire = wire.filter(|_| self.open.is_some());
        Ok((session, wire))
    }

    fn found(&self, session: Session, wire: Option<proto::SharedFiles>) -> Arc<Session> {
        let session = Arc::new(session);
        let kept = {
            let mut state = self.state.lock();
            if state.files.as_ref().map(|files| &files.wire) != wire.as_ref() {
                // One process may have a database open only once: the old one goes first.
                state.files = None;
            }
            state.files.clone()
        };
        let files = kept.or_else(|| self.open_files(wire?));
        let kind = match &session.peer {
            Peer::Store(_) if files.is_some() => "orly, its files are read directly",
            Peer::Store(_) => "orly",
            Peer::Database(_) => "database service of the original",
        };
        tracing::info!(address = %self.address, kind, "connected to the event store");
        let mut state = self.state.lock();
        state.files = files;
        state.session = Some(Arc::clone(&session));
        (state.down, state.told) = (None, false);
        state.newest = state.newest.max(session.last_serial);
        session
    }

    fn open_files(&self, wire: proto::SharedFiles) -> Option<Files> {
        let open = self.open.as_ref()?;
        let opened = SharedFiles::from_wire(wire.clone())
            .and_then(|files| open(&files).map_err(|error| failure::chain(&*error)));
        match opened {
            Ok(store) => Some(Files { wire, store }),
            Err(reason) => {
                tracing::info!(reason, "the files of the event store are not read directly");
                None
            }
        }
    }

    fn missed(&self, error: &str) {
        let mut state = self.state.lock();
        if !state.told && state.started.elapsed() >= self.quiet {
            state.told = true;
            tracing::warn!(address = %self.address, error, "nobody answers for the event store");
        }
        state.down = Some(Down { tried: Instant::now(), error: error.to_owned() });
    }

    fn unavailable(&self, error: &str) -> StoreError {
        StoreError::Unavailable(format!(
            "{} does not answer ({error}): is the database service running there?",
            self.address
        ))
    }
}

/// Whether a call that failed was lost on its way.
pub(super) enum Lost {
    /// The service answered with a failure.
    No(ReconcileError),
    /// Nobody knows what became of it.
    Maybe(StoreError),
}

/// Whether a call that fails in this way would fail so again.
fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument | Code::OutOfRange | Code::ResourceExhausted | Code::PermissionDenied
    )
}

/// A failure on the way, in few words: what is at the root of it.
fn tell(status: &Status) -> String {
    let mut root: Option<&dyn Error> = status.source();
    while let Some(source) = root.and_then(Error::source) {
        root = Some(source);
    }
    match (root, status.message()) {
        (Some(root), _) => root.to_string(),
        (None, "") => status.code().description().to_owned(),
        (None, message) => message.to_owned(),
    }
}
