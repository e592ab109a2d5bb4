//! The seam itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{EventRef, Pubkey, Rejection};
use store::HiddenAuthors;
use tokio::sync::watch;

use crate::{AccessLevel, Mode};

/// Decides who may do what.
#[async_trait]
pub trait AccessControl: Send + Sync + 'static {
    /// How it decides.
    fn mode(&self) -> Mode;

    /// Whether it has all it needs to decide.
    fn is_ready(&self) -> bool;

    /// Changes whenever a level may have: what was learned under another revision is asked again.
    fn revision(&self) -> u64;

    /// Counts what was decided: whoever follows it looks again at once, also at clients that say nothing.
    fn changes(&self) -> watch::Receiver<u64>;

    /// What a client may do that proved to be `pubkey` (NIP-42), or nobody, and comes from `address`.
    async fn level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection>;

    /// Says why an event, which is verified, is refused. Modes that do not look at events let all pass.
    async fn check(&self, event: EventRef<'_>, address: IpAddr) -> Result<(), Rejection>;

    /// How long an event of this client has to wait; counts it. Zero means that none of theirs ever has
    /// to, until the revision changes.
    async fn throttle(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<Duration, Rejection>;

    /// Takes note of an event that was stored.
    async fn on_stored(&self, event: EventRef<'_>);

    /// Authors whose events only owners and admins see, where the mode hides some. The event store knows
    /// them too, for what it is asked.
    fn hidden_authors(&self) -> Arc<HiddenAuthors>;
}
