//! Access control in one process keeps the rules, and follow lists come from other relays.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod fetching;

use std::sync::Arc;

use acl::conformance::{Engine, Examined};
use acl::{LocalAcl, Settings};
use async_trait::async_trait;
use store::MemoryStore;
use tokio_util::sync::CancellationToken;

struct Local;

#[async_trait]
impl Engine for Local {
    async fn fresh(&self, settings: Settings) -> Examined {
        let store = Arc::new(MemoryStore::new(vec![]));
        let acl = Arc::new(LocalAcl::new(settings, Arc::clone(&store) as _));
        acl.refresh().await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&acl).run(stop.clone()));
        let keep = Box::new(stop.drop_guard());
        Examined { access: Arc::clone(&acl) as _, management: acl, store, keep }
    }
}

acl::conformance_tests!(crate::Local);
