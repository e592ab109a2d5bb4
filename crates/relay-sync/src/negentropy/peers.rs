//! Peers that are kept in step: each synchronised again and again, some side by side (NIP-77).
//!
//! What a peer's last synchronisations came to is kept as a marker of the store, so a restart knows, and
//! so are peers taken in or dropped at run time. A peer that fails is tried again later and later; one
//! that works is not held up by it.

mod asked;
mod backoff;
mod roster;
mod state;
mod visits;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use event::Keys;
use parking_lot::Mutex;
use relay_client::PeerUrl;
use store::StoreError;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use asked::{Request, TriggerError};
pub use state::{Activity, PeerStatus};

use super::peer::{Fruitless, SyncOptions, SyncStore};
use roster::Roster;
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
    keys: OnceLock<Keys>,
    peers: Mutex<BTreeMap<PeerUrl, Peer>>,
    /// What was taken in and dropped at run time; held while that is written down.
    roster: tokio::sync::Mutex<Roster>,
    /// Told when a peer may be due earlier than it was.
    changed: Notify,
    /// Whether the peers are to be kept in step.
    is_active: watch::Sender<bool>,
}

struct Peer {
    record: Record,
    /// Whether it is being synchronised because it was due.
    is_visited: bool,
    /// Whether it was made due meanwhile.
    is_wanted: bool,
    /// How many synchronisations somebody asked for are under way.
    asked: usize,
    due: Instant,
    fruitless: Arc<Fruitless>,
    /// How often it was synchronised because it was due.
    visits: watch::Sender<u64>,
    /// Ends what goes on with it.
    removed: CancellationToken,
}

/// Why a peer cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum AddPeerError {
    /// There are too many.
    #[error("{max} peers were added already, remove some first")]
    TooMany {
        /// How many there may be.
        max: usize,
    },
    /// The event store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PeerSync {
    /// Knows no peers yet.
    pub fn new(store: Arc<dyn SyncStore>, settings: PeerSettings) -> Self {
        Self {
            store,
            settings,
            keys: OnceLock::new(),
            peers: Mutex::default(),
            roster: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            is_active: watch::Sender::new(true),
        }
    }

    /// Says who to be where a peer asks (NIP-42), unless the settings or an earlier call did.
    pub fn authenticate_as(&self, keys: Keys) {
        // The first call counts.
        let _known = self.keys.set(keys);
    }

    /// How to synchronise.
    fn options(&self) -> SyncOptions {
        let mut options = self.settings.options.clone();
        options.client.keys = options.client.keys.or_else(|| self.keys.get().cloned());
        options
    }

    /// Takes in the peers of the settings and those of earlier runs; leaves out what was dropped since.
    pub async fn restore(&self, configured: Vec<PeerUrl>) -> Result<(), StoreError> {
        let mut roster = self.roster.lock().await;
        let kept = Roster::load(&*self.store).await?;
        *roster = kept.clone();
        let (peers, dropped) = roster.apply(configured);
        for url in dropped {
            tracing::warn!(target: "negentropy", peer = %url, "peer of the settings was removed at run time: left out until it is added again");
        }
        for url in peers {
            tracing::info!(target: "negentropy", peer = %url, "peer to be kept in step");
            self.add(url).await?;
        }
        if roster.is_kept_as(&kept) {
            return Ok(());
        }
        match roster.save(&*self.store).await {
            // The next start comes to the same from what is kept now.
            Err(StoreError::ReadOnly(reason)) => {
                tracing::warn!(target: "negentropy", reason, "which peers were removed cannot be noted");
                Ok(())
            }
            result => result,
        }
    }

    /// Takes a peer in, also for later runs. Returns whether it is new.
    pub async fn enlist(&self, url: PeerUrl) -> Result<bool, AddPeerError> {
        let mut roster = self.roster.lock().await;
        let mut changed = roster.clone();
        if !changed.add(url.clone()) {
            return Err(AddPeerError::TooMany { max: roster::MAX_ADDED });
        }
        changed.save(&*self.store).await?;
        *roster = changed;
        Ok(self.add(url).await?)
    }

    /// Drops a peer, also for later runs. Returns whether there was one.
    pub async fn dismiss(&self, url: &PeerUrl) -> Result<bool, StoreError> {
        let mut roster = self.roster.lock().await;
        if !self.peers.lock().contains_key(url) {
            return Ok(false);
        }
        let mut changed = roster.clone();
        changed.remove(url);
        changed.save(&*self.store).await?;
        *roster = changed;
        self.remove(url).await
    }

    /// Takes a peer in for this run, with what is known of it; it is due at once. Returns whether it is
    /// new.
    pub async fn add(&self, url: PeerUrl) -> Result<bool, StoreError> {
        let record = self.store.marker(&marker(&url)).await?;
        let record = record.map(|bytes| Record::from_bytes(&bytes)).unwrap_or_default();
        let mut peers = self.peers.lock();
        if peers.contains_key(&url) {
            return Ok(false);
        }
        let peer = Peer {
            record,
            is_visited: false,
            is_wanted: false,
            asked: 0,
            due: Instant::now(),
            fruitless: Arc::default(),
            visits: watch::Sender::default(),
            removed: CancellationToken::new(),
        };
        peers.insert(url, peer);
        self.changed.notify_one();
        Ok(true)
    }

    /// Drops a peer for this run, in the middle of its synchronisation too. Returns whether there was
    /// one.
    pub async fn remove(&self, url: &PeerUrl) -> Result<bool, StoreError> {
        let Some(peer) = self.peers.lock().remove(url) else { return Ok(false) };
        peer.removed.cancel();
        self.store.set_marker(&marker(url), None).await?;
        Ok(true)
    }

    /// Keeps the peers in step from here on, or ends that; each is due when it begins again.
    pub fn set_active(&self, is_active: bool) {
        let was_active = self.is_active.send_replace(is_active);
        if is_active && !was_active {
            self.sync_now(None);
        }
    }

    /// Whether the peers are to be kept in step.
    pub fn is_active(&self) -> bool {
        *self.is_active.borrow()
    }

    /// How each peer is.
    pub fn status(&self) -> Vec<PeerStatus> {
        let peers = self.peers.lock();
        peers.iter().map(|(url, peer)| peer.status(url)).collect()
    }

    /// How one peer is.
    pub fn peer_status(&self, url: &PeerUrl) -> Option<PeerStatus> {
        self.peers.lock().get(url).map(|peer| peer.status(url))
    }
}

impl Peer {
    fn status(&self, url: &PeerUrl) -> PeerStatus {
        self.record.status(url.clone(), self.is_visited || self.asked > 0)
    }
}

fn marker(url: &PeerUrl) -> String {
    format!("{MARKER}{url}")
}
