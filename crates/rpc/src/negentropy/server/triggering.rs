//! Synchronisations that a caller asks for and waits for.

use event::Filter;
use futures_util::{StreamExt, stream};
use relay_client::PeerUrl;
use relay_sync::{Activity, Request};
use tonic::Status;

use super::{NegentropyServer, unknown};

/// How many peers are synchronised side by side when all are with a filter of the caller's.
const SIDE_BY_SIDE: usize = 4;

impl NegentropyServer {
    /// Synchronises a peer with a filter of the caller's, or all peers.
    pub(super) async fn sync_with_filter(
        &self,
        url: Option<PeerUrl>,
        filter: Filter,
    ) -> Result<(), Status> {
        let peers: Vec<PeerUrl> = match url {
            Some(url) if self.peers.peer_status(&url).is_none() => return Err(unknown(&url)),
            Some(url) => vec![url],
            None => self.peers.status().into_iter().map(|status| status.url).collect(),
        };
        let wanted = Request { filter: Some(filter), ..Request::default() };
        let syncs = stream::iter(peers).map(|url| {
            let (peers, wanted) = (&self.peers, wanted.clone());
            async move { drop(Box::pin(peers.sync_once(&url, wanted, |_, _| ())).await) }
        });
        syncs.buffer_unordered(SIDE_BY_SIDE).collect::<()>().await;
        Ok(())
    }

    /// Says which of the peers failed last.
    pub(super) fn check(&self, url: Option<&PeerUrl>) -> Result<(), Status> {
        let states = self.peers.status().into_iter();
        let failed = states.filter(|state| {
            url.is_none_or(|url| state.url == *url) && state.activity == Activity::Error
        });
        let reasons: Vec<String> = failed
            .map(|state| format!("{}: {}", state.url, state.last_error.unwrap_or_default()))
            .collect();
        if reasons.is_empty() { Ok(()) } else { Err(Status::unavailable(reasons.join("; "))) }
    }
}
