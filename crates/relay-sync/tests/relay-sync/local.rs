//! Sessions of this process, for the rules of the seam.

use std::sync::Arc;

use relay_sync::conformance::{Host, Subject};
use relay_sync::{NegentropySessions, SessionSettings};
use store_lmdb::{LmdbStore, Options};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::house::scratch;

/// Makes sessions over a store of their own.
pub(crate) struct Local;

#[async_trait::async_trait]
impl Host for Local {
    async fn fresh(&self, settings: SessionSettings) -> Subject {
        let dir = scratch();
        let store = Arc::new(LmdbStore::open(Options::new(dir.path()), vec![]).unwrap());
        let sessions = Arc::new(NegentropySessions::new(Arc::clone(&store) as _, settings));
        let run = Arc::clone(&sessions).run(CancellationToken::new());
        let running = AbortOnDropHandle::new(tokio::spawn(run));
        Subject {
            reconciler: Arc::clone(&sessions) as _,
            sessions,
            markers: Arc::clone(&store) as _,
            store,
            keep: Box::new((dir, running)),
        }
    }
}
