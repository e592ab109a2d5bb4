//! Peers that were taken in or dropped at run time, kept over restarts.

use std::collections::BTreeSet;

use relay_client::PeerUrl;
use serde_json::{Value, json};
use store::{Markers, StoreError};

/// Where it is kept.
const MARKER: &str = "negentropy:peers";
/// How many peers may be taken in at run time.
pub(super) const MAX_ADDED: usize = 1000;

/// How the peers differ from those that are configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Roster {
    configured: BTreeSet<PeerUrl>,
    added: BTreeSet<PeerUrl>,
    removed: BTreeSet<PeerUrl>,
}

impl Roster {
    /// Reads what was kept.
    pub(super) async fn load<M: Markers + ?Sized>(markers: &M) -> Result<Self, StoreError> {
        let bytes = markers.marker(MARKER).await?;
        Ok(bytes.map(|bytes| Self::from_bytes(&bytes)).unwrap_or_default())
    }

    /// Keeps it.
    pub(super) async fn save<M: Markers + ?Sized>(&self, markers: &M) -> Result<(), StoreError> {
        let is_empty = self.added.is_empty() && self.removed.is_empty();
        markers.set_marker(MARKER, (!is_empty).then(|| self.to_bytes())).await
    }

    /// Whether keeping it would change nothing.
    pub(super) fn is_kept_as(&self, kept: &Self) -> bool {
        (&self.added, &self.removed) == (&kept.added, &kept.removed)
    }

    /// The peers that follow from those configured, and which of these were dropped.
    ///
    /// What is configured no longer need not be remembered as dropped.
    pub(super) fn apply(&mut self, configured: Vec<PeerUrl>) -> (BTreeSet<PeerUrl>, Vec<PeerUrl>) {
        self.configured = configured.into_iter().collect();
        self.removed.retain(|url| self.configured.contains(url));
        let kept = self.configured.difference(&self.removed);
        (kept.chain(&self.added).cloned().collect(), self.removed.iter().cloned().collect())
    }

    /// Takes a peer in; `false` if there are too many.
    pub(super) fn add(&mut self, url: PeerUrl) -> bool {
        self.removed.remove(&url);
        if self.configured.contains(&url) || self.added.contains(&url) {
            return true;
        }
        self.added.len() < MAX_ADDED && self.added.insert(url)
    }

    /// Drops a peer, configured or not.
    pub(super) fn remove(&mut self, url: &PeerUrl) {
        self.added.remove(url);
        if self.configured.contains(url) {
            self.removed.insert(url.clone());
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let texts = |urls: &BTreeSet<PeerUrl>| urls.iter().map(PeerUrl::to_string).collect();
        let (added, removed): (Vec<_>, Vec<_>) = (texts(&self.added), texts(&self.removed));
        json!({ "added": added, "removed": removed }).to_string().into_bytes()
    }

    /// Reads what was kept; what another version kept is left out.
    fn from_bytes(bytes: &[u8]) -> Self {
        let roster: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let urls = |name: &str| {
            let list = roster.get(name).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(|url| url.as_str()?.parse().ok()).collect()
        };
        Self { configured: BTreeSet::new(), added: urls("added"), removed: urls("removed") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(name: &str) -> PeerUrl {
        format!("wss://{name}.example.com").parse().unwrap()
    }

    #[test]
    fn what_was_added_comes_back_and_what_was_removed_stays_away() {
        let mut roster = Roster::default();
        roster.apply(vec![url("a"), url("b")]);
        assert!(roster.add(url("c")));
        roster.remove(&url("a"));
        let mut roster = Roster::from_bytes(&roster.to_bytes());
        let (peers, dropped) = roster.apply(vec![url("a"), url("b")]);
        assert_eq!((peers, dropped), (BTreeSet::from([url("b"), url("c")]), vec![url("a")]));
        assert!(roster.add(url("a")));
        let all = BTreeSet::from([url("a"), url("b"), url("c")]);
        assert_eq!(roster.apply(vec![url("a"), url("b")]).0, all);
    }

    #[test]
    fn what_was_removed_may_be_configured_anew() {
        let mut roster = Roster::default();
        roster.apply(vec![url("a")]);
        roster.remove(&url("a"));
        assert_eq!(roster.apply(vec![]).1, vec![]);
        assert_eq!(roster.apply(vec![url("a")]).0, BTreeSet::from([url("a")]));
    }

    #[test]
    fn there_is_an_end_to_what_is_taken_in() {
        let mut roster = Roster::default();
        assert!((0..MAX_ADDED).all(|number| roster.add(url(&format!("n{number}")))));
        assert!(!roster.add(url("one-more")));
        assert!(roster.add(url("n7")));
        (0..MAX_ADDED).for_each(|number| roster.remove(&url(&format!("n{number}"))));
        assert_eq!(roster, Roster::default());
        assert_eq!(Roster::from_bytes(b"?"), Roster::default());
    }
}
