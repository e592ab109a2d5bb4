//! What is known of a peer.

use event::Timestamp;
use relay_client::PeerUrl;
use serde_json::{Value, json};

/// What goes on with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Nothing, until it is due.
    Idle,
    /// It is being synchronised.
    Syncing,
    /// The last synchronisation failed.
    Error,
}

/// How a peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// The peer.
    pub url: PeerUrl,
    /// What goes on with it.
    pub activity: Activity,
    /// Why the last synchronisation failed; `None` once one worked.
    pub last_error: Option<String>,
    /// How many failed since one worked.
    pub consecutive_failures: u32,
    /// How many events were stored here and taken there, ever.
    pub events_synced: u64,
    /// When one worked the last time.
    pub last_sync: Option<Timestamp>,
}

/// What is kept of a peer over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    last_error: Option<String>,
    failures: u32,
    events_synced: u64,
    last_sync: Option<Timestamp>,
    /// Whether the error is another than that before.
    is_news: bool,
}

impl Record {
    pub(super) fn succeeded(&mut self, moved: u64, now: Timestamp) {
        let events_synced = self.events_synced + moved;
        *self = Self { events_synced, last_sync: Some(now), ..Self::default() };
    }

    pub(super) fn failed(&mut self, moved: u64, error: String) {
        self.is_news = self.last_error.as_ref() != Some(&error);
        self.events_synced += moved;
        self.failures = self.failures.saturating_add(1);
        self.last_error = Some(error);
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn is_news(&self) -> bool {
        self.is_news
    }

    pub(super) fn status(&self, url: PeerUrl, is_syncing: bool) -> PeerStatus {
        PeerStatus {
            url,
            activity: match self.last_error {
                _ if is_syncing => Activity::Syncing,
                Some(_) => Activity::Error,
                None => Activity::Idle,
            },
            last_error: self.last_error.clone(),
            consecutive_failures: self.failures,
            events_synced: self.events_synced,
            last_sync: self.last_sync,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let record = json!({
            "last_error": self.last_error,
            "consecutive_failures": self.failures,
            "events_synced": self.events_synced,
            "last_sync": self.last_sync.map(Timestamp::as_secs),
        });
        record.to_string().into_bytes()
    }

    /// Reads what was kept; what another version kept is left out.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let record: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let number = |name: &str| record.get(name).and_then(Value::as_u64);
        Self {
            last_error: record.get("last_error").and_then(Value::as_str).map(str::to_owned),
            failures: number("consecutive_failures")
                .and_then(|count| count.try_into().ok())
                .unwrap_or_default(),
            events_synced: number("events_synced").unwrap_or_default(),
            last_sync: number("last_sync").map(Timestamp::from_secs),
            is_news: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_a_restart() {
        let mut record = Record::default();
        record.succeeded(7, Timestamp::from_secs(1000));
        record.failed(2, "no answer".into());
        let kept = Record::from_bytes(&record.to_bytes());
        assert_eq!(kept, Record { is_news: false, ..record });
        assert_eq!((kept.events_synced, kept.failures), (9, 1));
        assert_eq!(Record::from_bytes(b"?"), Record::default());
    }

    #[test]
    fn a_failure_is_news_until_it_comes_again() {
        let mut record = Record::default();
        record.failed(0, "a".into());
        assert!(record.is_news());
        record.failed(0, "a".into());
        assert!(!record.is_news());
        record.failed(0, "b".into());
        assert!(record.is_news());
        record.succeeded(0, Timestamp::from_secs(1));
        assert_eq!((record.failures(), record.last_error), (0, None));
    }
}
