//! Synchronisations that somebody asked for, beside those that were due.

use std::sync::Arc;

use event::{Filter, Timestamp};
use relay_client::PeerUrl;
use tokio::sync::watch;

use super::super::peer::{
    Direction, PrivateKinds, SyncError, SyncOptions, SyncProgress, SyncReport, sync_with,
};
use super::PeerSync;

/// What is asked for; what is left out is as the settings have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub filter: Option<Filter>,
    /// Only events from then on.
    pub since: Option<Timestamp>,
    /// Which way.
    pub direction: Option<Direction>,
}

/// Why no synchronisation can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TriggerError {
    /// No peer of this name is kept in step.
    #[error("not a peer that is kept in step")]
    Unknown,
    /// None is, at the moment.
    #[error("peers are not kept in step at the moment")]
    Stopped,
}

impl PeerSync {
    /// Synchronises with a relay now, whether it is a peer or not; `progress` as for
    /// [`sync_with`](crate::sync_with).
    ///
    /// Private kinds are given to no relay that is not a peer.
    pub async fn sync_once(
        self: &Arc<Self>,
        url: &PeerUrl,
        request: Request,
        progress: impl FnMut(SyncProgress<'_>, &SyncReport) + Send,
    ) -> Result<SyncReport, SyncError> {
        let asked = Asked::begin(self, url);
        let mut options = self.options_for(request);
        if asked.is_none() {
            options.private_kinds = PrivateKinds::Withhold;
        }
        let result = sync_with(url, &*self.store, &options, progress).await;
        if asked.is_some() {
            self.settle(url, &result).await;
        }
        result
    }

    /// Makes a peer due, or all of them, and waits until each was synchronised or dropped.
    pub async fn trigger(&self, url: Option<&PeerUrl>) -> Result<(), TriggerError> {
        let mut active = self.is_active.subscribe();
        let visits = self.want(url)?;
        let made = async {
            for (mut visits, enough) in visits {
                // One that was dropped need not be waited for.
                drop(visits.wait_for(|count| *count >= enough).await);
            }
        };
        tokio::select! {
            () = made => Ok(()),
            _ = active.wait_for(|is_active| !is_active) => Err(TriggerError::Stopped),
        }
    }

    /// Makes peers due; says for each how many visits there will have been then.
    fn want(
        &self,
        url: Option<&PeerUrl>,
    ) -> Result<Vec<(watch::Receiver<u64>, u64)>, TriggerError> {
        let mut peers = self.peers.lock();
        if url.is_some_and(|url| !peers.contains_key(url)) {
            return Err(TriggerError::Unknown);
        }
        let wanted = peers.iter_mut().filter(|(own, _)| url.is_none_or(|url| url == *own));
        let visits = wanted.map(|(_, peer)| {
            peer.want();
            let visits = peer.visits.subscribe();
            let made = *visits.borrow();
            (visits, made + if peer.is_visited { 2 } else { 1 })
        });
        let visits = visits.collect();
        self.changed.notify_one();
        Ok(visits)
    }

    fn options_for(&self, Request { filter, since, direction }: Request) -> SyncOptions {
        let mut options = self.options();
        if let Some(filter) = filter {
            options.filter = filter;
        }
        options.filter.since = options.filter.since.max(since);
        if let Some(direction) = direction {
            options.direction = direction;
        }
        options
    }
}

/// A peer that somebody asked to be synchronised, until it is.
struct Asked {
    peers: Arc<PeerSync>,
    url: PeerUrl,
}

impl Asked {
    /// `None` for a relay that is no peer.
    fn begin(peers: &Arc<PeerSync>, url: &PeerUrl) -> Option<Self> {
        peers.peers.lock().get_mut(url)?.asked += 1;
        Some(Self { peers: Arc::clone(peers), url: url.clone() })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(peer) = self.peers.peers.lock().get_mut(&self.url) {
            // A peer of the same name may have come in its place.
            peer.asked = peer.asked.saturating_sub(1);
        }
    }
}
