//! Peers that are kept in step: each synchronised again and again, some side by side (NIP-77).
//!
//! What a peer's last synchronisations came to is kept as a marker of the store, so a restart knows.
//! A peer that fails is tried again later and later; one that works is not held up by it.

mod backoff;
mod state;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use event::Timestamp;
use parking_lot::Mutex;
use relay_client::PeerUrl;
use store::StoreError;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use state::{Activity, PeerStatus};

use super::peer::{Fruitless, SyncError, SyncOptions, SyncReport, SyncStore, sync_with};
use state::Record;

/// Where states are kept.
const MARKER: &str = "negentropy:peer:";

/// How peers are kept in step.
#[derive(Clone, Debug)]
pub struct PeerSettings {
    /// From the end of one synchronisation to the next.
    pub interval: Duration,
    /// The longest wait after failures.
    pub longest_backoff: Duration,
    /// How many peers are synchronised side by side.
    pub side_by_side: usize,
    /// What and how.
    pub options: SyncOptions,
}

/// The peers.
pub struct PeerSync {
    store: Arc<dyn SyncStore>,
    settings: PeerSettings,
    peers: Mutex<BTreeMap<PeerUrl, Peer>>,
    /// Told when a peer may be due earlier than it was.
    changed: Notify,
}

struct Peer {
    record: Record,
    activity: Activity,
    due: Instant,
    fruitless: Arc<Fruitless>,
    /// Ends what goes on with it.
    removed: CancellationToken,
}

/// A peer whose time has come.
struct Visit {
    url: PeerUrl,
    removed: CancellationToken,
    fruitless: Arc<Fruitless>,
}

impl PeerSync {
    /// Knows no peers yet.
    pub fn new(store: Arc<dyn SyncStore>, settings: PeerSettings) -> Self {
        Self { store, settings, peers: Mutex::default(), changed: Notify::new() }
    }

    /// Takes a peer in, with what is known of it; it is due at once. Returns whether it is new.
    pub async fn add(&self, url: PeerUrl) -> Result<bool, StoreError> {
        let record = self.store.marker(&marker(&url)).await?;
        let record = record.map(|bytes| Record::from_bytes(&bytes)).unwrap_or_default();
        let mut peers = self.peers.lock();
        if peers.contains_key(&url) {
            return Ok(false);
        }
        let peer = Peer {
            record,
            activity: Activity::Idle,
            due: Instant::now(),
            fruitless: Arc::default(),
            removed: CancellationToken::new(),
        };
        peers.insert(url, peer);
        self.changed.notify_one();
        Ok(true)
    }

    /// Drops a peer, in the middle of its synchronisation too. Returns whether there was one.
    pub async fn remove(&self, url: &PeerUrl) -> Result<bool, StoreError> {
        let Some(peer) = self.peers.lock().remove(url) else { return Ok(false) };
        peer.removed.cancel();
        self.store.set_marker(&marker(url), None).await?;
        Ok(true)
    }

    /// Makes a peer due at once, or all of them.
    pub fn sync_now(&self, url: Option<&PeerUrl>) {
        let now = Instant::now();
        let mut peers = self.peers.lock();
        peers
            .iter_mut()
            .filter(|(own, _)| url.is_none_or(|url| url == *own))
            .for_each(|(_, peer)| peer.due = now);
        self.changed.notify_one();
    }

    /// How each peer is.
    pub fn status(&self) -> Vec<PeerStatus> {
        let peers = self.peers.lock();
        peers.iter().map(|(url, peer)| peer.record.status(url.clone(), peer.activity)).collect()
    }

    /// Keeps the peers in step, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut running = JoinSet::new();
        loop {
            let free = self.settings.side_by_side.max(1) - running.len();
            let (due, wake) = self.take_due(free);
            for visit in due {
                let this = Arc::clone(&self);
                running.spawn(async move {
                    let work = this.synchronise(&visit);
                    if visit.removed.run_until_cancelled(work).await.is_none() {
                        tracing::debug!(target: "negentropy", peer = %visit.url, "peer was removed");
                    }
                });
            }
            let next = async {
                match wake {
                    Some(wake) => tokio::time::sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(_) = running.join_next() => {}
                () = self.changed.notified() => {}
                () = next => {}
            }
        }
        // What was given to the store is saved all the same.
        running.shutdown().await;
    }

    /// Marks peers as under way whose time has come, `free` at most; says when the next one's will, if
    /// there is room for it.
    fn take_due(&self, free: usize) -> (Vec<Visit>, Option<Instant>) {
        let now = Instant::now();
        let mut peers = self.peers.lock();
        let mut waiting: Vec<_> =
            peers.iter_mut().filter(|(_, peer)| peer.activity != Activity::Syncing).collect();
        waiting.sort_by_key(|(_, peer)| peer.due);
        let mut due = Vec::new();
        for (url, peer) in waiting {
            if due.len() == free {
                return (due, None);
            }
            if peer.due > now {
                return (due, Some(peer.due));
            }
            peer.activity = Activity::Syncing;
            let (removed, fruitless) = (peer.removed.clone(), Arc::clone(&peer.fruitless));
            due.push(Visit { url: url.clone(), removed, fruitless });
        }
        (due, None)
    }

    async fn synchronise(&self, Visit { url, fruitless, .. }: &Visit) {
        tracing::debug!(target: "negentropy", peer = %url, "synchronise");
        let options =
            SyncOptions { fruitless: Some(Arc::clone(fruitless)), ..self.settings.options.clone() };
        let result = sync_with(url, &*self.store, &options, |_, _| ()).await;
        let Some(record) = self.note(url, &result) else { return };
        tell(url, &result, &record);
        if let Err(error) = self.store.set_marker(&marker(url), Some(record.to_bytes())).await {
            tracing::warn!(target: "negentropy", peer = %url, error = &error as &dyn std::error::Error, "keep the state of a peer");
        }
    }

    /// Notes what a synchronisation came to, and when the next is due; `None` if the peer is gone.
    fn note(&self, url: &PeerUrl, result: &Result<SyncReport, SyncError>) -> Option<Record> {
        let mut peers = self.peers.lock();
        let peer = peers.get_mut(url)?;
        match result {
            Ok(report) => peer.record.succeeded(report.moved(), Timestamp::now()),
            Err(error) => peer.record.failed(error.report.moved(), describe(error)),
        }
        peer.activity = if result.is_ok() { Activity::Idle } else { Activity::Error };
        let PeerSettings { interval, longest_backoff, .. } = self.settings;
        let delay =
            backoff::delay(interval, longest_backoff, peer.record.failures(), rand::random());
        peer.due = Instant::now() + delay;
        Some(peer.record.clone())
    }
}

fn marker(url: &PeerUrl) -> String {
    format!("{MARKER}{url}")
}

/// An error and its causes in one line, and what to do about it.
fn describe(error: &SyncError) -> String {
    let causes = std::iter::successors(Some(&error.failure as &dyn std::error::Error), |error| {
        error.source()
    });
    let chain: Vec<String> = causes.map(ToString::to_string).collect();
    let advice = error.failure.advice().map_or_else(String::new, |advice| format!("; {advice}"));
    format!("{}{advice}", chain.join(": "))
}

/// Logs what a synchronisation came to. A failure that goes on is said once.
fn tell(peer: &PeerUrl, result: &Result<SyncReport, SyncError>, record: &Record) {
    let report = match result {
        Ok(report) => report,
        Err(error) if record.is_news() => {
            tracing::warn!(target: "negentropy", %peer, error = describe(error), "synchronisation failed, tried again later");
            return;
        }
        Err(error) => {
            let failures = record.failures();
            tracing::debug!(target: "negentropy", %peer, failures, error = describe(error), "synchronisation failed again");
            return;
        }
    };
    let SyncReport { have, need, fetched, stored, sent, accepted, missing, rounds, .. } = *report;
    let (seconds, refused) =
        (report.duration.as_secs_f64(), report.refused.total() + report.invalid.total());
    if report.moved() > 0 {
        tracing::info!(
            target: "negentropy",
            %peer, have, need, fetched, stored, sent, accepted, missing, refused, rounds, seconds, "synchronised"
        );
    } else {
        tracing::debug!(target: "negentropy", %peer, have, need, missing, refused, rounds, seconds, "in step");
    }
    for (reason, count) in report.refused.iter().chain(report.invalid.iter()) {
        tracing::debug!(target: "negentropy", %peer, reason, count, "not moved");
    }
}
