//! Synchronising peers when they are due, and what is said and kept of it.

use std::sync::Arc;

use event::Timestamp;
use relay_client::PeerUrl;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::peer::{Fruitless, SyncError, SyncOptions, SyncReport, sync_with};
use super::state::Record;
use super::{Peer, PeerSettings, PeerSync, backoff, marker};

/// A peer whose time has come.
struct Visit {
    peers: Arc<PeerSync>,
    url: PeerUrl,
    removed: CancellationToken,
    fruitless: Arc<Fruitless>,
    is_made: bool,
}

impl PeerSync {
    /// Makes a peer due at once, or all of them.
    pub fn sync_now(&self, url: Option<&PeerUrl>) {
        let mut peers = self.peers.lock();
        let wanted = peers.iter_mut().filter(|(own, _)| url.is_none_or(|url| url == *own));
        wanted.for_each(|(_, peer)| peer.want());
        self.changed.notify_one();
    }

    /// Keeps the peers in step, whenever that is wanted, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let mut active = self.is_active.subscribe();
        let mut running = JoinSet::new();
        while !shutdown.is_cancelled() {
            let work = async {
                // The sender lives as long as `self`.
                drop(active.wait_for(|is_active| *is_active).await);
                tokio::select! {
                    () = self.keep_in_step(&mut running) => {}
                    _ = active.wait_for(|is_active| !is_active) => {}
                }
            };
            shutdown.run_until_cancelled(work).await;
            // What was given to the store is saved all the same.
            running.shutdown().await;
        }
    }

    /// Visits peers as they become due.
    async fn keep_in_step(self: &Arc<Self>, running: &mut JoinSet<()>) {
        loop {
            let free = self.settings.side_by_side.max(1) - running.len();
            let (due, wake) = self.take_due(free);
            for visit in due {
                running.spawn(async move { visit.make().await });
            }
            let next = async {
                match wake {
                    Some(wake) => tokio::time::sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(_) = running.join_next() => {}
                () = self.changed.notified() => {}
                () = next => {}
            }
        }
    }

    /// Marks peers as under way whose time has come, `free` at most; says when the next one's will, if
    /// there is room for it.
    fn take_due(self: &Arc<Self>, free: usize) -> (Vec<Visit>, Option<Instant>) {
        let now = Instant::now();
        let mut peers = self.peers.lock();
        let mut waiting: Vec<_> = peers.iter_mut().filter(|(_, peer)| !peer.is_visited).collect();
        waiting.sort_by_key(|(_, peer)| peer.due);
        let mut due = Vec::new();
        for (url, peer) in waiting {
            if due.len() == free {
                return (due, None);
            }
            if peer.due > now {
                return (due, Some(peer.due));
            }
            peer.is_visited = true;
            due.push(Visit {
                peers: Arc::clone(self),
                url: url.clone(),
                removed: peer.removed.clone(),
                fruitless: Arc::clone(&peer.fruitless),
                is_made: false,
            });
        }
        (due, None)
    }

    /// Notes, tells and keeps what a synchronisation came to.
    pub(super) async fn settle(&self, url: &PeerUrl, result: &Result<SyncReport, SyncError>) {
        let record = self.peers.lock().get_mut(url).map(|peer| peer.note(result));
        let Some(record) = record else { return };
        tell(url, result, &record);
        if let Err(error) = self.store.set_marker(&marker(url), Some(record.to_bytes())).await {
            tracing::warn!(target: "negentropy", peer = %url, error = &error as &dyn std::error::Error, "keep the state of a peer");
        }
    }
}

impl Visit {
    async fn make(mut self) {
        let removed = self.removed.clone();
        self.is_made = removed.run_until_cancelled(self.synchronise()).await.is_some();
        if !self.is_made {
            tracing::debug!(target: "negentropy", peer = %self.url, "peer was removed");
        }
    }

    async fn synchronise(&self) {
        let Self { peers, url, fruitless, .. } = self;
        tracing::debug!(target: "negentropy", peer = %url, "synchronise");
        let options = SyncOptions { fruitless: Some(Arc::clone(fruitless)), ..peers.options() };
        let result = sync_with(url, &*peers.store, &options, |_, _| ()).await;
        peers.settle(url, &result).await;
        if let Some(peer) = peers.peers.lock().get_mut(url) {
            peer.put_off(&peers.settings);
        }
    }
}

/// However a visit ends, another may follow.
impl Drop for Visit {
    fn drop(&mut self) {
        // A peer of the same name may have come in its place.
        if !self.removed.is_cancelled()
            && let Some(peer) = self.peers.peers.lock().get_mut(&self.url)
        {
            peer.is_visited = false;
            if self.is_made {
                peer.visits.send_modify(|visits| *visits += 1);
            }
            self.peers.changed.notify_one();
        }
    }
}

impl Peer {
    /// Makes it due at once, or once more if it is being visited.
    pub(super) fn want(&mut self) {
        self.is_wanted = self.is_visited;
        self.due = Instant::now();
    }

    fn note(&mut self, result: &Result<SyncReport, SyncError>) -> Record {
        match result {
            Ok(report) => self.record.succeeded(report.moved(), Timestamp::now()),
            Err(error) => self.record.failed(error.report.moved(), error.describe()),
        }
        self.record.clone()
    }

    /// Says when it is due again.
    fn put_off(&mut self, PeerSettings { interval, longest_backoff, .. }: &PeerSettings) {
        let failures = self.record.failures();
        let delay = backoff::delay(*interval, *longest_backoff, failures, rand::random());
        self.due = Instant::now();
        if !std::mem::take(&mut self.is_wanted) {
            self.due += delay;
        }
    }
}

/// Logs what a synchronisation came to. A failure that goes on is said once.
fn tell(peer: &PeerUrl, result: &Result<SyncReport, SyncError>, record: &Record) {
    let report = match result {
        Ok(report) => report,
        Err(error) if record.is_news() => {
            tracing::warn!(target: "negentropy", %peer, error = error.describe(), "synchronisation failed, tried again later");
            return;
        }
        Err(error) => {
            let failures = record.failures();
            tracing::debug!(target: "negentropy", %peer, failures, error = error.describe(), "synchronisation failed again");
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
