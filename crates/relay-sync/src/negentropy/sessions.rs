//! Sessions of clients, answered from the store of this process.
//!
//! A session is a filter and a place in the protocol: it holds no snapshot between two messages. Each
//! ends with NEG-CLOSE, with its connection, on an error, or after some time of silence.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::SubscriptionId;
use parking_lot::Mutex;
use reconcile::{Answer, FrameSizeLimit};
use store::{Query, ReconcileError, ReconcileSet, ReconcileStore, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{ConnectionId, NegentropyRefusal, Reconciler, SessionKey};

/// What clients may ask at most.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// Records of a set that has to be gathered.
    pub max_records: u64,
    /// Bytes of an answer.
    pub frame_size_limit: FrameSizeLimit,
    /// Sessions of a connection.
    pub sessions_per_connection: usize,
    /// Sessions in all.
    pub sessions: usize,
    /// Silence after which a session ends.
    pub timeout: Duration,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            max_records: 1_000_000,
            frame_size_limit: FrameSizeLimit::new(500_000).expect("above the least"),
            sessions_per_connection: 20,
            sessions: 100_000,
            timeout: Duration::from_secs(300),
        }
    }
}

/// The sessions of all connections.
pub struct NegentropySessions {
    store: Arc<dyn ReconcileStore>,
    settings: SessionSettings,
    sessions: Mutex<HashMap<SessionKey, Session>>,
}

/// An open session.
struct Session {
    set: Arc<dyn ReconcileSet>,
    opened: Instant,
    used: Instant,
    rounds: u32,
}

/// What is known of an open session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStatus {
    /// Its name.
    pub key: SessionKey,
    /// How long ago it was opened.
    pub age: Duration,
    /// How long nothing was said.
    pub silence: Duration,
    /// How many messages were answered.
    pub rounds: u32,
}

impl NegentropySessions {
    /// No sessions yet.
    pub fn new(store: Arc<dyn ReconcileStore>, settings: SessionSettings) -> Self {
        Self { store, settings, sessions: Mutex::default() }
    }

    /// Ends silent sessions, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut tick =
            tokio::time::interval((self.settings.timeout / 10).max(Duration::from_millis(100)));
        while shutdown.run_until_cancelled(tick.tick()).await.is_some() {
            let timeout = self.settings.timeout;
            self.sessions.lock().retain(|key, session| {
                let lives = session.used.elapsed() < timeout;
                if !lives {
                    tracing::debug!(target: "negentropy", ?key, "end a silent session");
                }
                lives
            });
        }
    }

    /// The open sessions.
    pub fn list(&self) -> Vec<SessionStatus> {
        let sessions = self.sessions.lock();
        let status = |(key, session): (&SessionKey, &Session)| SessionStatus {
            key: key.clone(),
            age: session.opened.elapsed(),
            silence: session.used.elapsed(),
            rounds: session.rounds,
        };
        sessions.iter().map(status).collect()
    }

    /// Ends the sessions of this name, of whatever connection.
    pub fn close_all(&self, sub: &SubscriptionId) {
        self.sessions.lock().retain(|key, _| key.sub != *sub);
    }

    /// Whether there is room for a session, after one of the same key has ended.
    fn make_room(&self, key: &SessionKey) -> Result<(), NegentropyRefusal> {
        let most = self.settings.sessions_per_connection;
        let mut sessions = self.sessions.lock();
        sessions.remove(key);
        if sessions.len() >= self.settings.sessions {
            return Err(NegentropyRefusal::new("rate-limited: too many clients reconcile"));
        }
        if sessions.keys().filter(|other| other.connection == key.connection).count() >= most {
            let reason = format!("rate-limited: {most} reconciliations are open already");
            return Err(NegentropyRefusal::new(reason));
        }
        Ok(())
    }

    /// Opens a session over what `query`, of one filter, would serve; replaces one of the same key.
    pub async fn begin(
        &self,
        key: SessionKey,
        query: Query,
        message: Vec<u8>,
    ) -> Result<Answer, NegentropyRefusal> {
        self.make_room(&key)?;
        let set = self.store.reconcile_set(query, self.settings.max_records).await;
        let set = Arc::from(set.map_err(|error| refusal(&error))?);
        let now = Instant::now();
        self.sessions
            .lock()
            .insert(key.clone(), Session { set, opened: now, used: now, rounds: 0 });
        self.answer(&key, message).await
    }

    /// Answers a message of an open session; an error ends it.
    pub async fn answer(
        &self,
        key: &SessionKey,
        message: Vec<u8>,
    ) -> Result<Answer, NegentropyRefusal> {
        let set = {
            let mut sessions = self.sessions.lock();
            let session = sessions.get_mut(key);
            let session = session
                .ok_or_else(|| NegentropyRefusal::new("closed: unknown subscription handle"))?;
            session.used = Instant::now();
            session.rounds += 1;
            Arc::clone(&session.set)
        };
        let answer = set.answer(message, self.settings.frame_size_limit).await;
        match answer {
            Ok(answer) => {
                let (have, need) = (answer.have.len(), answer.need.len());
                tracing::debug!(target: "negentropy", ?key, bytes = answer.message.len(), have, need, "answer");
                Ok(answer)
            }
            Err(error) => {
                self.sessions.lock().remove(key);
                Err(refusal(&error))
            }
        }
    }
}

#[async_trait]
impl Reconciler for NegentropySessions {
    fn is_ready(&self) -> bool {
        true
    }

    async fn open(
        &self,
        key: SessionKey,
        query: Query,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, NegentropyRefusal> {
        self.begin(key, query, message).await.map(|answer| answer.message)
    }

    async fn message(
        &self,
        key: &SessionKey,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, NegentropyRefusal> {
        self.answer(key, message).await.map(|answer| answer.message)
    }

    async fn close(&self, key: &SessionKey) {
        self.sessions.lock().remove(key);
    }

    async fn close_connection(&self, connection: &ConnectionId) {
        self.sessions.lock().retain(|key, _| key.connection != *connection);
    }
}

fn refusal(error: &ReconcileError) -> NegentropyRefusal {
    match error {
        ReconcileError::TooLarge { max } => NegentropyRefusal {
            reason: "blocked: too many query results, ask for kinds and times only or for less"
                .into(),
            max_records: Some(*max),
        },
        ReconcileError::Protocol(reason) => NegentropyRefusal::new(format!("closed: {reason}")),
        ReconcileError::Store(StoreError::Unavailable(reason)) => {
            tracing::warn!(reason, "reconcile");
            NegentropyRefusal::new("error: cannot reconcile at the moment, try again shortly")
        }
        ReconcileError::Store(error) => {
            tracing::error!(error = error as &dyn std::error::Error, "reconcile");
            NegentropyRefusal::new("error: internal")
        }
    }
}
