//! What was decided at run time: markers beside the events, mirrored in memory.
//!
//! | marker | value |
//! |---|---|
//! | `acl:<mode>:revision` | other bytes after each change |
//! | `acl:<mode>:<list>:<subject>` | an entry of a list, as JSON |
//! | `acl:curating:config` | the configuration in force, as JSON |
//! | `acl:counts:<shard>` | how much newcomers and addresses sent today (`curating/counters.rs`) |
//! | `acl:curating:offence:<address>` | how often an address flooded, and until when it is banned |
//! | `acl:subscription:…`, `acl:alias…` | who subscribed until when, who has which name (`subscriptions.rs`) |
//!
//! Whoever changes a marker changes the revision after it. The others look at the revision every
//! [`REFRESH`], and read all again if it is another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{RwLock, RwLockReadGuard};
use store::{EventStore, Markers, StoreError};
use tokio::sync::Mutex;

use crate::Changes;

/// How long it takes at most until what one process decides holds in another.
pub const REFRESH: Duration = Duration::from_secs(1);

const REVISION: &str = "revision";

/// What access control needs of a store.
pub trait AclStore: EventStore + Markers {}

impl<S: EventStore + Markers> AclStore for S {}

/// What markers say, in memory.
pub(crate) trait Mirror: Default + Send + Sync {
    /// Takes over a marker, its key without the prefix, or that it is gone.
    fn apply(&mut self, key: &str, value: Option<&[u8]>);
}

/// Markers under a prefix and their mirror.
pub(crate) struct Ledger<M> {
    store: Arc<dyn AclStore>,
    prefix: String,
    mirror: RwLock<M>,
    /// The revision marker as it was when all was read; whoever holds it may change or read.
    seen: Mutex<Option<Vec<u8>>>,
    is_read: AtomicBool,
    changes: Changes,
}

impl<M: Mirror> Ledger<M> {
    /// An empty mirror of the markers that start with `prefix`; what they change is counted.
    pub(crate) fn new(store: Arc<dyn AclStore>, prefix: &str, changes: &Changes) -> Self {
        Self {
            store,
            prefix: prefix.to_owned(),
            mirror: RwLock::default(),
            seen: Mutex::default(),
            is_read: AtomicBool::new(false),
            changes: changes.clone(),
        }
    }

    /// What the markers say.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, M> {
        self.mirror.read()
    }

    /// Whether the markers were read.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Acquire)
    }

    /// Sets or removes markers, and then their mirror.
    pub(crate) async fn set(
        &self,
        changes: Vec<(String, Option<Vec<u8>>)>,
    ) -> Result<(), StoreError> {
        let _turn = self.seen.lock().await;
        for (key, value) in changes {
            self.store.set_marker(&format!("{}{key}", self.prefix), value.clone()).await?;
            self.mirror.write().apply(&key, value.as_deref());
        }
        // What is seen stays as it was: somebody else may have changed something in between.
        let revision = rand::random::<[u8; 16]>().to_vec();
        self.store.set_marker(&format!("{}{REVISION}", self.prefix), Some(revision)).await?;
        self.changes.add();
        Ok(())
    }

    /// Reads all again, if somebody changed something; whether that was so.
    pub(crate) async fn refresh(&self) -> Result<bool, StoreError> {
        let mut seen = self.seen.lock().await;
        let revision = self.store.marker(&format!("{}{REVISION}", self.prefix)).await?;
        if self.is_read() && *seen == revision {
            return Ok(false);
        }
        let mut mirror = M::default();
        for (key, value) in self.store.markers(&self.prefix).await? {
            if let Some(key) = key.strip_prefix(&self.prefix) {
                mirror.apply(key, Some(&value));
            }
        }
        *self.mirror.write() = mirror;
        *seen = revision;
        self.is_read.store(true, Ordering::Release);
        self.changes.add();
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use store::MemoryStore;

    use super::*;

    #[derive(Default)]
    struct All(BTreeMap<String, Vec<u8>>);

    impl Mirror for All {
        fn apply(&mut self, key: &str, value: Option<&[u8]>) {
            match value {
                Some(value) => drop(self.0.insert(key.into(), value.into())),
                None => drop(self.0.remove(key)),
            }
        }
    }

    fn keys(ledger: &Ledger<All>) -> Vec<String> {
        ledger.read().0.keys().filter(|key| *key != REVISION).cloned().collect()
    }

    fn ledger(store: &Arc<dyn AclStore>) -> Ledger<All> {
        Ledger::new(Arc::clone(store), "x:", &Changes::default())
    }

    #[tokio::test]
    async fn two_processes_agree_after_a_refresh() {
        let store: Arc<dyn AclStore> = Arc::new(MemoryStore::new(vec![]));
        let (a, b) = (ledger(&store), ledger(&store));
        assert!(!a.is_read());
        a.refresh().await.unwrap();
        b.refresh().await.unwrap();
        a.set(vec![("1".into(), Some(vec![1]))]).await.unwrap();
        b.set(vec![("2".into(), Some(vec![2]))]).await.unwrap();
        assert_eq!((keys(&a), keys(&b)), (vec!["1".into()], vec!["2".into()]));
        a.refresh().await.unwrap();
        b.refresh().await.unwrap();
        assert_eq!(keys(&a), ["1", "2"]);
        assert_eq!(keys(&a), keys(&b));
        b.set(vec![("1".into(), None)]).await.unwrap();
        a.refresh().await.unwrap();
        assert_eq!(keys(&a), ["2"]);
    }

    #[tokio::test]
    async fn without_a_change_nothing_is_read_again() {
        let store: Arc<dyn AclStore> = Arc::new(MemoryStore::new(vec![]));
        let ledger = ledger(&store);
        assert!(ledger.refresh().await.unwrap());
        let changes = ledger.changes.count();
        assert!(!ledger.refresh().await.unwrap());
        assert_eq!(ledger.changes.count(), changes);
    }
}
