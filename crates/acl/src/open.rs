//! Mode none: everybody may read and write; owners and admins manage.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{EventRef, Pubkey, Rejection};
use store::HiddenAuthors;
use tokio::sync::watch;

use crate::{AccessControl, AccessLevel, Authorities, Mode};

/// Access control that lets everybody in.
#[derive(Debug, Default)]
pub struct Open {
    authorities: Arc<Authorities>,
}

impl Open {
    /// Takes the owners and admins.
    pub fn new(authorities: Arc<Authorities>) -> Self {
        Self { authorities }
    }
}

#[async_trait]
impl AccessControl for Open {
    fn mode(&self) -> Mode {
        Mode::None
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn revision(&self) -> u64 {
        self.authorities.changes().count()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.authorities.changes().follow()
    }

    async fn level(&self, pubkey: Option<Pubkey>, _: IpAddr) -> Result<AccessLevel, Rejection> {
        Ok(self.authorities.level(pubkey).unwrap_or(AccessLevel::Write))
    }

    async fn check(&self, _: EventRef<'_>, _: IpAddr) -> Result<(), Rejection> {
        Ok(())
    }

    async fn throttle(&self, _: Option<Pubkey>, _: IpAddr) -> Result<Duration, Rejection> {
        Ok(Duration::ZERO)
    }

    async fn on_stored(&self, _: EventRef<'_>) {}

    fn hidden_authors(&self) -> Arc<HiddenAuthors> {
        Arc::default()
    }
}
