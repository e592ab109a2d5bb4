//! Reconciliation (NIP-77): what clients may ask, and which relays are kept in step.

use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use event::{Filter, Pubkey, Timestamp};
use reconcile::FrameSizeLimit;
use relay_client::PeerUrl;
use relay_sync::{PeerSettings, PrivateKinds, SessionSettings, SyncOptions};

use crate::{
    EventLimits, IdSize, Key, KindNumber, Peer, PeerDirection, RelayAddresses, SyncFilter,
};

/// The longest wait for a peer that fails.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

daemon::settings! {
    /// Reconciliation, in the relay's process or in one of its own.
    #[derive(Clone, Debug)]
    pub struct Reconciliation {
        section "Reconciliation" {
            /// Events of a set that has to be gathered to be reconciled; sets of kinds and times have no limit.
            max_records: NonZeroU64 = "ORLY_NEGENTROPY_MAX_RECORDS", "1000000";
            /// How long a client may leave a reconciliation alone.
            session_timeout: Duration = "ORLY_SYNC_NEGENTROPY_SESSION_TIMEOUT", "5m";
        }
        section "Peers" {
            /// Relays that are kept in step with this one, as URLs.
            peers: Vec<Peer> = "ORLY_SYNC_NEGENTROPY_PEERS", "";
            /// How often each of them is synchronised.
            interval: Duration = "ORLY_SYNC_NEGENTROPY_INTERVAL", "60s";
            /// Which way events go: down (to here), up, or both.
            direction: PeerDirection = "ORLY_SYNC_NEGENTROPY_DIRECTION", "both";
            /// How many of them are synchronised side by side.
            side_by_side: NonZeroUsize = "ORLY_SYNC_NEGENTROPY_CONCURRENCY", "4";
            /// Bytes of a message to them; 4096 is the least.
            frame_size: usize = "ORLY_SYNC_NEGENTROPY_FRAME_SIZE", "4096";
            /// Without effect: in this version of the protocol ids have 32 bytes.
            id_size: IdSize = "ORLY_SYNC_NEGENTROPY_ID_SIZE", "16";
            /// Only events that match this filter (NIP-01) are synchronised.
            filter: Option<SyncFilter> = "ORLY_SYNC_NEGENTROPY_FILTER", "";
            /// Only events of these kinds are synchronised.
            kinds: Vec<KindNumber> = "ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "";
            /// Only events of these authors are synchronised.
            authors: Vec<Key> = "ORLY_SYNC_NEGENTROPY_FILTER_AUTHORS", "";
            /// Only events from then on are synchronised, in seconds since 1970.
            since: Option<u64> = "ORLY_SYNC_NEGENTROPY_FILTER_SINCE", "";
            /// Only events up to then are synchronised, in seconds since 1970.
            until: Option<u64> = "ORLY_SYNC_NEGENTROPY_FILTER_UNTIL", "";
            /// Whether private messages and gift wraps are given to the peers, which must all be trusted.
            private_kinds: bool = "ORLY_SYNC_NEGENTROPY_PRIVATE_KINDS", "false";
        }
    }
    one value {}
    no effect {}
    not yet {}
}

impl Reconciliation {
    /// What clients may ask.
    pub fn sessions(&self) -> SessionSettings {
        SessionSettings {
            max_records: self.max_records.get(),
            timeout: self.session_timeout,
            ..SessionSettings::default()
        }
    }

    /// The relays to be kept in step, but for the one at `own`.
    pub fn peer_urls(&self, own: &RelayAddresses) -> Vec<PeerUrl> {
        let own = own.peers();
        let urls = self.peers.iter().map(|peer| peer.0.clone());
        let (own, peers): (Vec<_>, Vec<_>) = urls.partition(|url| own.contains(url));
        for url in own {
            tracing::warn!(%url, "ORLY_SYNC_NEGENTROPY_PEERS names this relay itself: left out");
        }
        peers
    }

    /// How they are kept in step.
    pub fn peers(&self, limits: &EventLimits) -> PeerSettings {
        if self.id_size != IdSize::DEFAULT {
            tracing::warn!(
                "ORLY_SYNC_NEGENTROPY_ID_SIZE has no effect: ids of protocol version 1 have 32 bytes"
            );
        }
        let mut options = SyncOptions {
            filter: self.peer_filter(),
            direction: self.direction.0,
            private_kinds: if self.private_kinds {
                PrivateKinds::Include
            } else {
                PrivateKinds::Withhold
            },
            frame_size_limit: self.peer_frame_size(),
            max_records: self.max_records.get(),
            memory: daemon::available_memory(),
            admission: Some(limits.admission()),
            ..SyncOptions::default()
        };
        options.client.max_event_bytes = limits.bytes.get();
        PeerSettings {
            interval: self.interval.max(Duration::from_secs(1)),
            longest_backoff: LONGEST_BACKOFF,
            side_by_side: self.side_by_side.get(),
            options,
        }
    }

    fn peer_frame_size(&self) -> FrameSizeLimit {
        FrameSizeLimit::new(self.frame_size).unwrap_or_else(|_| {
            let (bytes, least) = (self.frame_size, FrameSizeLimit::MIN);
            tracing::warn!(
                bytes,
                least,
                "ORLY_SYNC_NEGENTROPY_FRAME_SIZE is too small: the least is taken"
            );
            FrameSizeLimit::new(least).expect("it is the least")
        })
    }

    /// The JSON filter, narrowed by the other four.
    fn peer_filter(&self) -> Filter {
        let mut filter = self.filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default();
        filter.limit = None;
        filter.kinds = both(filter.kinds, self.kinds.iter().map(|kind| kind.0).collect());
        let authors: Vec<Pubkey> = self.authors.iter().map(|key| key.0).collect();
        filter.authors = both(filter.authors, authors);
        filter.since = filter.since.max(self.since.map(Timestamp::from_secs));
        filter.until = match (filter.until, self.until.map(Timestamp::from_secs)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        filter
    }
}

/// What is in both lists; no list and an empty second one leave all in.
fn both<T: Ord>(list: Option<Vec<T>>, mut narrowing: Vec<T>) -> Option<Vec<T>> {
    if narrowing.is_empty() {
        return list;
    }
    narrowing.sort_unstable();
    narrowing.dedup();
    narrowing.retain(|value| list.as_ref().is_none_or(|list| list.contains(value)));
    Some(narrowing)
}

#[cfg(test)]
mod tests;
