//! The way to the service: who is there, found when it is first needed and again whenever it was lost.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use relay_sync::SyncStore;
use store::{ReconcileError, Serial, StoreError};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::failure::{self, tell};
use super::files::{OpenFiles, SharedFiles};
use super::session::{self, Peer, Session};
use crate::Address;
use crate::proto::orlystore::v1 as proto;

/// How long a failure to connect stands for all who ask.
const PAUSE: Duration = Duration::from_millis(50);

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
        match session::open(&self.address).await {
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

    fn found(&self, session: Session, wire: Option<proto::SharedFiles>) -> Arc<Session> {
        let session = Arc::new(session);
        let wire = wire.filter(|_| self.open.is_some());
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
