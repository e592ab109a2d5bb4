//! Reconciliation: what clients may ask, and which relays are kept in step.

use std::time::Duration;

use daemon::{Setting, choice};
use event::{EventRef, Filter, Keys, Kind, Pubkey, Timestamp};
use reconcile::FrameSizeLimit;
use relay_client::PeerUrl;
use relay_sync::{Admission, Direction, PeerSettings, PrivateKinds, SessionSettings, SyncOptions};

use super::Settings;

/// The longest wait for a peer that fails.
const LONGEST_BACKOFF: Duration = Duration::from_secs(3600);

impl Settings {
    /// What clients may ask.
    pub(crate) fn sessions(&self) -> SessionSettings {
        SessionSettings {
            max_records: self.negentropy_max_records.get(),
            timeout: self.sync_session_timeout,
            ..SessionSettings::default()
        }
    }

    /// The relays to be kept in step, but for this one.
    pub(crate) fn peer_urls(&self) -> Vec<PeerUrl> {
        let own = self.url().and_then(|url| url.parse::<PeerUrl>().ok());
        let (own, peers): (Vec<_>, Vec<_>) = self
            .sync_peers
            .iter()
            .map(|peer| peer.0.clone())
            .partition(|url| Some(url) == own.as_ref());
        if let Some(url) = own.first() {
            tracing::warn!(%url, "ORLY_SYNC_NEGENTROPY_PEERS names this relay itself: left out");
        }
        peers
    }

    /// How they are kept in step.
    pub(crate) fn peers(&self, keys: &Keys) -> PeerSettings {
        if self.sync_id_size != IdSize::DEFAULT {
            tracing::warn!(
                "ORLY_SYNC_NEGENTROPY_ID_SIZE has no effect: ids of protocol version 1 have 32 bytes"
            );
        }
        let mut options = SyncOptions {
            filter: self.peer_filter(),
            direction: self.sync_direction.0,
            private_kinds: if self.sync_private_kinds {
                PrivateKinds::Include
            } else {
                PrivateKinds::Withhold
            },
            frame_size_limit: self.peer_frame_size(),
            max_records: self.negentropy_max_records.get(),
            admission: Some(self.admission()),
            ..SyncOptions::default()
        };
        options.client.keys = Some(keys.clone());
        options.client.max_event_bytes = self.max_event_bytes.get();
        PeerSettings {
            interval: self.sync_interval.max(Duration::from_secs(1)),
            longest_backoff: LONGEST_BACKOFF,
            side_by_side: self.sync_side_by_side.get(),
            options,
        }
    }

    fn peer_frame_size(&self) -> FrameSizeLimit {
        FrameSizeLimit::new(self.sync_frame_size).unwrap_or_else(|_| {
            let (bytes, least) = (self.sync_frame_size, FrameSizeLimit::MIN);
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
        let mut filter =
            self.sync_filter.as_ref().map(|filter| filter.0.clone()).unwrap_or_default();
        filter.limit = None;
        filter.kinds = both(filter.kinds, self.sync_kinds.iter().map(|kind| kind.0).collect());
        filter.authors = both(
            filter.authors,
            self.sync_authors.iter().map(|key| key.0).collect::<Vec<Pubkey>>(),
        );
        filter.since = filter.since.max(self.sync_since.map(Timestamp::from_secs));
        filter.until = match (filter.until, self.sync_until.map(Timestamp::from_secs)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        filter
    }

    /// What clients may not publish is not taken from peers either, unless it is merely old.
    fn admission(&self) -> Admission {
        let (limits, future) = (self.limits(), self.created_at_future.as_secs());
        Admission::new(move |event: EventRef<'_>| {
            let ahead = event.created_at().as_secs().saturating_sub(Timestamp::now().as_secs());
            if ahead > future {
                return Err(format!("created_at is more than {future} s ahead"));
            }
            if event.tags().iter().count() > limits.event_tags {
                return Err(format!("event has more than {} tags", limits.event_tags));
            }
            if event.as_bytes().len() > limits.event_bytes {
                return Err(format!("event has more than {} bytes", limits.event_bytes));
            }
            Ok(())
        })
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

/// A relay to be kept in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer(PeerUrl);

impl Setting for Peer {
    fn expected() -> String {
        "the URL of a relay such as wss://relay.example.com".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

/// Which way events go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerDirection(Direction);

impl Setting for PeerDirection {
    fn expected() -> String {
        "down, up or both".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let directions =
            [("down", Direction::Down), ("up", Direction::Up), ("both", Direction::Both)];
        choice(&directions, text).map(Self)
    }
}

/// How many bytes an id had on the wire of an older protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdSize(u8);

impl IdSize {
    const DEFAULT: Self = Self(16);
}

impl Setting for IdSize {
    fn expected() -> String {
        "a number from 8 to 32".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|size| (8..=32).contains(size)).map(Self)
    }
}

/// A kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KindNumber(Kind);

impl Setting for KindNumber {
    fn expected() -> String {
        "the number of a kind (0 to 65535)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Kind::new).map(Self)
    }
}

/// A filter as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyncFilter(Filter);

impl Setting for SyncFilter {
    fn expected() -> String {
        r#"a filter such as {"kinds":[0,1,3]}"#.into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use daemon::Environment;

    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        let environment = Environment::of(variables.iter().copied());
        daemon::load::<Settings>(&environment).settings.unwrap()
    }

    fn peers(variables: &[(&str, &str)]) -> PeerSettings {
        settings(variables).peers(&Keys::from_secret([7; 32]).unwrap())
    }

    #[test]
    fn the_four_narrow_the_filter() {
        let author = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
        let filter = |variables: &[(&str, &str)]| peers(variables).options.filter.to_json();
        let json = r##"{"kinds":[1,3,7],"since":10,"until":90,"#t":["x"],"limit":5}"##;
        assert_eq!(filter(&[]), "{}");
        assert_eq!(
            filter(&[
                ("ORLY_SYNC_NEGENTROPY_FILTER", json),
                ("ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "7, 0,3"),
                ("ORLY_SYNC_NEGENTROPY_FILTER_AUTHORS", author),
                ("ORLY_SYNC_NEGENTROPY_FILTER_SINCE", "20"),
                ("ORLY_SYNC_NEGENTROPY_FILTER_UNTIL", "95"),
            ]),
            format!(
                r##"{{"authors":["{author}"],"kinds":[3,7],"#t":["x"],"since":20,"until":90}}"##
            )
        );
        assert_eq!(filter(&[("ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "0,1")]), r#"{"kinds":[0,1]}"#);
    }

    #[test]
    fn small_frames_are_raised_to_the_least() {
        let limit =
            |bytes| peers(&[("ORLY_SYNC_NEGENTROPY_FRAME_SIZE", bytes)]).options.frame_size_limit;
        assert_eq!(limit("2048"), FrameSizeLimit::new(4096).unwrap());
        assert_eq!(limit("60000"), FrameSizeLimit::new(60_000).unwrap());
        assert_eq!(limit("0"), FrameSizeLimit::NONE);
    }

    #[test]
    fn a_relay_is_no_peer_of_itself() {
        let urls = settings(&[
            ("ORLY_RELAY_URL", "https://a.example.com"),
            ("ORLY_SYNC_NEGENTROPY_PEERS", "wss://a.example.com/,wss://b.example.com"),
        ])
        .peer_urls();
        assert_eq!(urls, ["wss://b.example.com".parse().unwrap()]);
    }

    #[test]
    fn what_the_guide_shows_is_taken() {
        let settings = settings(&[
            ("ORLY_SYNC_NEGENTROPY_PEERS", "wss://relay1.example.com,wss://relay2.example.com"),
            ("ORLY_SYNC_NEGENTROPY_FILTER_KINDS", "0,1,3,6,7,1984,10000,30000"),
            ("ORLY_SYNC_NEGENTROPY_ID_SIZE", "32"),
            ("ORLY_SYNC_NEGENTROPY_SESSION_TIMEOUT", "5m"),
        ]);
        assert_eq!(settings.peer_urls().len(), 2);
        assert_eq!(settings.sessions().timeout, Duration::from_secs(300));
        assert_eq!(settings.peer_filter().kinds.map(|kinds| kinds.len()), Some(8));
    }
}
