//! A relay on a port of its own, and events to give it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use acl::{FollowsSettings, LocalAcl, Mode, ThrottleSettings};
use event::{Draft, Event, Keys, Kind, Timestamp};
use relay::{Parts, Settings};
use relay_sync::{NegentropySessions, Reconciler, SessionSettings};
use store_lmdb::{LmdbStore, Options};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Client;

/// Nothing here takes nearly as long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// What a relay under test is made of.
#[derive(Default)]
pub(crate) struct Wiring {
    /// What the store holds before the relay starts.
    pub(crate) events: Vec<Event>,
    pub(crate) settings: Settings,
    pub(crate) negentropy: Option<SessionSettings>,
    /// How access is decided; owners and admins are those of `settings`.
    pub(crate) acl: Option<Mode>,
    pub(crate) throttle: Option<ThrottleSettings>,
    pub(crate) health_port: bool,
}

/// A running relay.
pub(crate) struct Relay {
    pub(crate) addr: SocketAddr,
    pub(crate) health: Option<SocketAddr>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) store: Arc<LmdbStore>,
    pub(crate) sessions: Option<Arc<NegentropySessions>>,
    task: JoinHandle<anyhow::Result<()>>,
    dir: TempDir,
}

impl Relay {
    /// Starts one with settings that differ from the usual.
    pub(crate) async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        let mut wiring = Wiring::default();
        change(&mut wiring.settings);
        Self::wired(wiring).await
    }

    /// Starts one that holds events already.
    pub(crate) async fn holding(events: Vec<Event>) -> Self {
        Self::wired(Wiring { events, ..Wiring::default() }).await
    }

    /// Starts one that holds events and answers NIP-77.
    pub(crate) async fn reconciling(
        events: Vec<Event>,
        change: impl FnOnce(&mut SessionSettings),
    ) -> Self {
        let mut sessions = SessionSettings::default();
        change(&mut sessions);
        Self::wired(Wiring { events, negentropy: Some(sessions), ..Wiring::default() }).await
    }

    pub(crate) async fn wired(wiring: Wiring) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(LmdbStore::open(Options::new(dir.path()), vec![]).unwrap());
        store::EventStore::save(&*store, wiring.events).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let health_listener = match wiring.health_port {
            true => Some(TcpListener::bind("127.0.0.1:0").await.unwrap()),
            false => None,
        };
        let health = health_listener.as_ref().map(|listener| listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let sessions = wiring
            .negentropy
            .map(|settings| Arc::new(NegentropySessions::new(store.clone(), settings)));
        if let Some(sessions) = &sessions {
            tokio::spawn(Arc::clone(sessions).run(shutdown.clone()));
        }
        let reconciler = sessions.clone().map(|sessions| sessions as Arc<dyn Reconciler>);
        let mut parts = Parts { reconciler, ..Parts::open(store.clone()) };
        let settings = wiring.settings;
        if let Some(mode) = wiring.acl {
            let access = Arc::new(LocalAcl::new(
                acl::Settings {
                    mode,
                    owners: settings.access.owners.clone(),
                    admins: settings.access.admins.clone(),
                    auth_required: settings.access.auth_required,
                    follows: FollowsSettings { throttle: wiring.throttle, ..Default::default() },
                },
                store.clone(),
            ));
            access.refresh().await.unwrap();
            tokio::spawn(Arc::clone(&access).run(shutdown.clone()));
            parts.access = Arc::clone(&access) as _;
            parts.management = Some(access);
        }
        let serve = relay::serve(listener, health_listener, settings, parts, shutdown.clone());
        let task = tokio::spawn(serve);
        Self { addr, health, shutdown, store, sessions, task, dir }
    }

    /// A client that took its challenge already.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr).await
    }

    /// Puts events into the store, past the relay's door.
    pub(crate) async fn store(&self, events: Vec<Event>) {
        store::EventStore::save(&*self.store, events).await.unwrap();
    }

    /// Stops it, opens its database anew.
    pub(crate) async fn reopened(self) -> (LmdbStore, TempDir) {
        self.shutdown.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap().unwrap();
        drop(self.sessions);
        let store = Arc::into_inner(self.store).expect("nothing uses the store any more");
        drop(store);
        (LmdbStore::open(Options::new(self.dir.path()), vec![]).unwrap(), self.dir)
    }

    /// Waits until it ends by itself, after its token was cancelled.
    pub(crate) async fn ended(self) {
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap().unwrap();
    }
}

/// The keys of somebody.
pub(crate) fn keys(seed: u8) -> Keys {
    Keys::from_secret([seed; 32]).unwrap()
}

/// The present, in seconds.
pub(crate) fn now() -> u64 {
    Timestamp::now().as_secs()
}

/// An event of any kind, time and tags.
pub(crate) fn event(
    keys: &Keys,
    kind: u16,
    created_at: u64,
    tags: &[&[&str]],
    content: &str,
) -> Event {
    let tags = tags.iter().map(|tag| tag.iter().map(ToString::to_string).collect()).collect();
    keys.sign(&Draft {
        created_at: Timestamp::from_secs(created_at),
        kind: Kind::new(kind),
        tags,
        content: content.into(),
    })
}

/// A text note of now.
pub(crate) fn note(keys: &Keys, content: &str) -> Event {
    event(keys, 1, now(), &[], content)
}

/// Notes, each a second older than the one before.
pub(crate) fn notes(keys: &Keys, count: usize, content: &str) -> Vec<Event> {
    let start = now() - 10;
    let note = |at: usize| event(keys, 1, start - at as u64, &[], &format!("{at} {content}"));
    (0..count).map(note).collect()
}

/// The id as clients write it.
pub(crate) fn id(event: &Event) -> String {
    event.as_ref().id().to_string()
}

/// The ids as clients write them.
pub(crate) fn ids<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<String> {
    events.into_iter().map(id).collect()
}
