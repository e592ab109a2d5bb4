//! Who we are (NIP-42).

use std::time::Duration;

use event::{Draft, EventId, Keys, Kind, Timestamp};
use tokio::sync::watch;

use crate::{ClientError, PeerUrl, Verdict};

/// How long a relay may take to ask who we are.
const CHALLENGE_WAIT: Duration = Duration::from_millis(300);
/// How often a relay may ask in one connection.
const MAX_CHALLENGES: u32 = 10;

/// How far we came in telling who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    NotAsked,
    Answered(EventId),
    Accepted,
    Refused(String),
}

/// Answers the relay's challenges, if there are keys to do it with.
pub(crate) struct Authentication {
    keys: Option<Keys>,
    url: PeerUrl,
    state: watch::Sender<State>,
    challenges: std::sync::atomic::AtomicU32,
}

impl Authentication {
    pub(crate) fn new(keys: Option<Keys>, url: PeerUrl) -> Self {
        Self { keys, url, state: watch::Sender::new(State::NotAsked), challenges: 0.into() }
    }

    /// The message that answers a challenge.
    pub(crate) fn answer(&self, challenge: &str) -> Option<String> {
        let keys = self.keys.as_ref()?;
        let earlier = self.challenges.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if earlier >= MAX_CHALLENGES {
            return None;
        }
        let tag = |name: &str, value: &str| vec![name.to_owned(), value.to_owned()];
        let event = keys.sign(&Draft {
            created_at: Timestamp::now(),
            kind: Kind::CLIENT_AUTH,
            tags: vec![tag("relay", self.url.as_str()), tag("challenge", challenge)],
            content: String::new(),
        });
        self.state.send_replace(State::Answered(event.as_ref().id()));
        Some(format!("[\"AUTH\",{}]", event.as_ref().to_json()))
    }

    /// Whether an OK is about our answer.
    pub(crate) fn settle(&self, id: EventId, verdict: &Verdict) -> bool {
        self.state.send_if_modified(|state| {
            let is_ours = *state == State::Answered(id);
            if is_ours {
                *state = if verdict.accepted {
                    State::Accepted
                } else {
                    State::Refused(verdict.reason.clone())
                };
            }
            is_ours
        })
    }

    /// Waits until the relay knows us, or does not ask.
    pub(crate) async fn settled(&self, timeout: Duration) -> Result<(), ClientError> {
        if self.keys.is_none() {
            return Ok(());
        }
        let mut state = self.state.subscribe();
        let asked = state.wait_for(|state| *state != State::NotAsked);
        if tokio::time::timeout(CHALLENGE_WAIT, asked).await.is_err() {
            return Ok(());
        }
        let done = state.wait_for(|state| matches!(state, State::Accepted | State::Refused(_)));
        let done =
            tokio::time::timeout(timeout, done).await.map(|state| state.map(|state| state.clone()));
        match done {
            Ok(Ok(State::Refused(reason))) => Err(ClientError::AuthRequired { reason }),
            Ok(_) => Ok(()),
            Err(_) => {
                Err(ClientError::TimedOut { awaited: "OK to AUTH", after: timeout, notice: None })
            }
        }
    }

    pub(crate) fn has_keys(&self) -> bool {
        self.keys.is_some()
    }
}
