//! Mode follows: those may write whom an owner or admin follows.
//!
//! Follow lists (kind 3) come from the event store. They get there by being published here, and by
//! being fetched from the relays that owners and admins name (kind 10002), else from those that an
//! operator names for a start.

mod fetch;
mod read;

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{EventRef, Filter, Kind, Pubkey, Rejection};
use parking_lot::RwLock;
use relay_client::PeerUrl;
use store::{HiddenAuthors, Query, StoreError};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::throttle::Throttle;
use crate::{AccessControl, AccessLevel, AclStore, Authorities, Mode, REFRESH, ThrottleSettings};

/// Follow lists.
const FOLLOW_LIST: Kind = Kind::new(3);
/// Relay lists (NIP-65).
const RELAY_LIST: Kind = Kind::new(10_002);
/// How many pubkeys may be added one by one.
const MAX_ADDED: usize = 100_000;

/// How follow lists are gathered, and what others may do.
#[derive(Clone, Debug)]
pub struct FollowsSettings {
    /// Where follow lists are fetched while no admin names a relay.
    pub bootstrap: Vec<PeerUrl>,
    /// The relay's own addresses, which are not asked.
    pub own: Vec<PeerUrl>,
    /// How often follow lists are fetched.
    pub every: Duration,
    /// Whether relays that admins name may be at private addresses.
    pub allow_private: bool,
    /// How much others are slowed down when they write; `None` if they may only read.
    pub throttle: Option<ThrottleSettings>,
}

impl Default for FollowsSettings {
    fn default() -> Self {
        Self {
            bootstrap: Vec::new(),
            own: Vec::new(),
            every: Duration::from_secs(3600),
            allow_private: false,
            throttle: None,
        }
    }
}

/// What the lists of owners and admins say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FollowLists {
    /// Whom they follow.
    pub followed: HashSet<Pubkey>,
    /// Where they write.
    pub relays: Vec<PeerUrl>,
}

/// Access control by follow lists.
pub struct Follows {
    authorities: Arc<Authorities>,
    settings: FollowsSettings,
    store: Arc<dyn AclStore>,
    lists: RwLock<Option<FollowLists>>,
    added: RwLock<HashSet<Pubkey>>,
    throttle: Option<Throttle>,
    /// Told when the relays to be asked may have changed.
    renewed: Notify,
}

impl Follows {
    /// Takes the store that holds follow lists; [`Follows::refresh`] reads them.
    pub fn new(
        authorities: Arc<Authorities>,
        store: Arc<dyn AclStore>,
        settings: FollowsSettings,
    ) -> Self {
        Self {
            authorities,
            throttle: settings.throttle.map(Throttle::new),
            settings,
            store,
            lists: RwLock::default(),
            added: RwLock::default(),
            renewed: Notify::new(),
        }
    }

    /// Reads the follow lists that are stored.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let operators = self.authorities.operators();
        let mut lists = FollowLists::default();
        if !operators.is_empty() {
            let filter = Filter {
                kinds: Some(vec![FOLLOW_LIST, RELAY_LIST]),
                authors: Some(operators),
                ..Filter::default()
            };
            let mut rows = self.store.query(Query::by_operator(filter));
            while let Some(batch) = rows.next().await? {
                batch.iter().for_each(|(_, event)| read::add(&mut lists, event));
            }
        }
        lists.relays.sort_unstable();
        lists.relays.dedup();
        let mut current = self.lists.write();
        if current.as_ref() != Some(&lists) {
            let before = current.as_ref().map(|current| &current.relays[..]).unwrap_or_default();
            let is_moved = before != lists.relays;
            tracing::info!(followed = lists.followed.len(), "follow lists");
            *current = Some(lists);
            self.authorities.changes().add();
            if is_moved {
                self.renewed.notify_waiters();
            }
        }
        Ok(())
    }

    /// Lets somebody write as long as this process runs.
    pub fn follow(&self, pubkey: Pubkey) {
        let mut added = self.added.write();
        if added.len() < MAX_ADDED && added.insert(pubkey) {
            self.authorities.changes().add();
        }
    }

    /// All who are followed, sorted.
    pub fn followed(&self) -> Vec<Pubkey> {
        let lists = self.lists.read();
        let listed = lists.iter().flat_map(|lists| lists.followed.iter().copied());
        let mut all: Vec<Pubkey> = listed.chain(self.added.read().iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Where owners and admins write.
    pub fn relays(&self) -> Vec<PeerUrl> {
        self.lists.read().as_ref().map(|lists| lists.relays.clone()).unwrap_or_default()
    }

    /// Keeps the lists up to date until `shutdown`: those stored, and those of other relays.
    pub async fn run(&self, shutdown: CancellationToken) {
        let work = async { tokio::join!(self.look_at_store(), self.look_around()) };
        let _: Option<((), ())> = shutdown.run_until_cancelled(work).await;
    }

    async fn look_at_store(&self) {
        loop {
            tokio::time::sleep(REFRESH).await;
            if let Err(error) = self.refresh().await {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "read follow lists");
            }
        }
    }

    async fn look_around(&self) {
        loop {
            let wait = tokio::time::sleep(self.settings.every);
            // Relays that are named from here on are asked at once, those known again in time.
            let renewed = self.renewed.notified();
            self.fetch().await;
            tokio::select! {
                () = wait => {}
                () = renewed => {}
            }
        }
    }

    fn is_followed(&self, pubkey: Pubkey) -> bool {
        let lists = self.lists.read();
        lists.as_ref().is_some_and(|lists| lists.followed.contains(&pubkey))
            || self.added.read().contains(&pubkey)
    }

    /// The level of somebody who need not wait, if they have one.
    fn own_level(&self, pubkey: Option<Pubkey>) -> Option<AccessLevel> {
        let followed = || pubkey.filter(|pubkey| self.is_followed(*pubkey));
        self.authorities.level(pubkey).or_else(|| followed().map(|_| AccessLevel::Write))
    }
}

#[async_trait]
impl AccessControl for Follows {
    fn mode(&self) -> Mode {
        Mode::Follows
    }

    fn is_ready(&self) -> bool {
        self.lists.read().is_some()
    }

    fn revision(&self) -> u64 {
        self.authorities.changes().count()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.authorities.changes().follow()
    }

    async fn level(&self, pubkey: Option<Pubkey>, _: IpAddr) -> Result<AccessLevel, Rejection> {
        let others = match self.throttle {
            Some(_) => AccessLevel::Write,
            None => AccessLevel::Read,
        };
        Ok(self.own_level(pubkey).unwrap_or(others))
    }

    async fn check(&self, _: EventRef<'_>, _: IpAddr) -> Result<(), Rejection> {
        Ok(())
    }

    async fn throttle(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<Duration, Rejection> {
        Ok(match &self.throttle {
            Some(throttle) if self.own_level(pubkey).is_none() => {
                throttle.count(pubkey, address, Instant::now())
            }
            _ => Duration::ZERO,
        })
    }

    async fn on_stored(&self, event: EventRef<'_>) {
        let is_list = [FOLLOW_LIST, RELAY_LIST].contains(&event.kind());
        if is_list
            && self.authorities.is_operator(&event.pubkey())
            && let Err(error) = self.refresh().await
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "read follow lists");
        }
    }

    fn hidden_authors(&self) -> Arc<HiddenAuthors> {
        Arc::default()
    }
}

#[cfg(test)]
mod tests;
