//! Following a service: whether it is ready, in which mode, what it decided, and whom it hides.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use acl::{AccessControl, List, Mode, Subject};
use store::HiddenAuthors;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::RemoteAcl;
use crate::access::{lists, revision};
use crate::proto::orlyacl::v1 as proto;

/// How often the service is asked whether it is ready.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it is not.
const RETRY_INTERVAL: Duration = Duration::from_millis(100);
/// How long a level holds at most that a service told which says when it decides something: bans of
/// addresses end by themselves.
const LIFE: Duration = Duration::from_secs(60);
/// The same of a service that does not say it, as the original's.
const LIFE_UNTOLD: Duration = Duration::from_secs(2);
/// The same in mode none, in which levels are those of the service's settings.
const LIFE_OPEN: Duration = Duration::from_secs(30);

/// What a service says of itself.
struct Told {
    mode: String,
    /// Another text after each decision; ours says it beside the answer.
    revision: Option<String>,
}

/// What was learned of a service, and when.
struct Learned {
    revision: Option<String>,
    /// When levels were forgotten last.
    at: Instant,
    /// Whether the store of this process withholds who is hidden.
    is_hidden: bool,
    /// The mode it runs in that is none of ours, as far as that was told.
    unknown: Option<String>,
}

impl Learned {
    fn nothing() -> Self {
        Self { revision: None, at: Instant::now(), is_hidden: false, unknown: None }
    }
}

impl RemoteAcl {
    /// Follows whether the service is ready, in which mode it is, what it decides and whom it hides, until
    /// `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let follow = async {
            let mut learned = Learned::nothing();
            loop {
                let is_ready = match self.ask_about_itself().await {
                    Some(told) => self.note(told, &mut learned).await,
                    None => self.note_absence(),
                };
                let interval = if is_ready { ASK_INTERVAL } else { RETRY_INTERVAL };
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    () = self.is_away.notified() => {}
                }
            }
        };
        shutdown.run_until_cancelled(follow).await;
    }

    /// What the service says of itself, if it is ready.
    async fn ask_about_itself(&self) -> Option<Told> {
        let mut client = self.client.clone();
        let asked = async {
            let ready = client.ready(proto::Empty {}).await.ok()?;
            let mode = client.get_mode(proto::Empty {}).await.ok()?.into_inner().mode;
            if !ready.get_ref().ready {
                return None;
            }
            Some(Told { mode, revision: revision::read(ready.metadata()) })
        };
        timeout(self.timeout, asked).await.ok().flatten()
    }

    fn note_absence(&self) -> bool {
        if self.is_ready.swap(false, Ordering::AcqRel) {
            tracing::warn!(address = %self.address, "access control is away: nobody may do anything until it returns");
            self.changes.add();
        }
        false
    }

    /// Takes note of what a service says that is ready.
    async fn note(&self, told: Told, learned: &mut Learned) -> bool {
        let Told { mode, revision } = told;
        let Some(mode) = self.known(mode, learned) else { return self.note_absence() };
        let expected = std::mem::replace(&mut *self.mode.write(), mode);
        if expected != mode {
            tracing::warn!(%expected, %mode, "access control runs in another mode than ORLY_ACL_MODE says");
        }
        let was_ready = self.is_ready.load(Ordering::Acquire);
        let is_told = revision.is_some();
        let is_new = !was_ready || expected != mode || revision != learned.revision;
        if is_new || !is_told || !learned.is_hidden {
            let is_known = self.learn_hidden().await;
            // Who is to be hidden must be known before anybody reads.
            if !is_known && !was_ready {
                return false;
            }
            learned.is_hidden = is_known && self.keep_hidden().await;
        }
        self.is_ready.store(true, Ordering::Release);
        if !was_ready {
            tracing::info!(address = %self.address, %mode, "access control is ready");
        }
        learned.revision = revision;
        let life = match (mode, is_told) {
            (Mode::None, _) => LIFE_OPEN,
            (_, true) => LIFE,
            (_, false) => LIFE_UNTOLD,
        };
        if is_new {
            learned.at = Instant::now();
            self.changes.add();
        } else if learned.at.elapsed() >= life {
            learned.at = Instant::now();
            self.lives.fetch_add(1, Ordering::AcqRel);
        }
        true
    }

    /// The mode, if it is one of ours. Another is told once: a relay of ours cannot act on what it decides.
    fn known(&self, mode: String, learned: &mut Learned) -> Option<Mode> {
        let known = mode.parse().ok();
        let unknown = if known.is_none() { Some(mode) } else { None };
        if let Some(mode) = &unknown
            && learned.unknown != unknown
        {
            let address = &self.address;
            tracing::error!(%address, mode, "access control runs in a mode unknown here: nobody may do anything");
        }
        learned.unknown = unknown;
        known
    }

    /// Looks who is hidden; `false` if that could not be learned.
    pub(super) async fn learn_hidden(&self) -> bool {
        if !self.mode().hides_authors() {
            return true;
        }
        let hidden = match timeout(self.timeout, self.blacklist()).await {
            Ok(Ok(hidden)) => Arc::new(hidden),
            Ok(Err(_)) | Err(_) => return false,
        };
        if *self.hidden.read() != hidden {
            *self.hidden.write() = Arc::clone(&hidden);
            self.changes.add();
        }
        true
    }

    /// Has the store of this process withhold who is hidden; `false` if that is to be done again.
    pub(super) async fn keep_hidden(&self) -> bool {
        if !self.mode().hides_authors() {
            return true;
        }
        let hidden = self.hidden_authors();
        let Some(markers) = &self.markers else { return true };
        let kept = hidden.keep(&**markers).await;
        if let Err(error) = &kept {
            tracing::debug!(error = error as &dyn std::error::Error, "keep who is hidden");
        }
        kept.is_ok()
    }

    async fn blacklist(&self) -> Result<HiddenAuthors, Status> {
        let entries = lists::entries(&mut self.client.clone(), List::BlacklistedPubkeys).await?;
        Ok(HiddenAuthors::new(entries.iter().filter_map(|entry| match entry.subject {
            Subject::Pubkey(pubkey) => Some(pubkey),
            Subject::Event(_) | Subject::Kind(_) | Subject::Ip(_) => None,
        })))
    }
}
