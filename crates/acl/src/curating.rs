//! Mode curating: newcomers may write a little, trusted authors all, blacklisted authors nothing.
//!
//! Nothing is taken until an owner or admin publishes the configuration: a kind 30078 with the `d` tag
//! `curating-config`. Who floods from one address is banned for a while.

mod census;
mod config;
mod counters;
mod decide;
mod kinds;
mod limits;
mod manage;
mod state;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use event::{EventRef, Filter, Kind, Prefix, Pubkey, Rejection, Timestamp};
use parking_lot::{Mutex, RwLock};
use store::{HiddenAuthors, Query, StoreError};
use tokio::sync::watch;

use self::census::Counts;
use self::counters::Counters;
use self::decide::Standing;
use self::state::State;
use crate::counted::counted;
use crate::ledger::Ledger;
use crate::{AccessControl, AccessLevel, AclStore, Authorities, List, Mode, Subject};

pub use self::census::Census;
pub use self::config::{CuratingConfig, CuratingConfigError};
pub use self::limits::Verdict;

/// Application data, among it the configuration.
const CONFIG_KIND: Kind = Kind::new(30_078);
/// The markers of what was sent today. They are no decisions, so they lie apart from those.
const COUNTS: &str = "acl:counts:";
/// The `d` tag of the configuration.
const CONFIG_NAME: &str = "curating-config";

/// Access control by trust.
pub struct Curating {
    authorities: Arc<Authorities>,
    store: Arc<dyn AclStore>,
    ledger: Ledger<State>,
    counters: Mutex<Counters>,
    /// Whether what was counted before is taken over.
    is_restored: AtomicBool,
    /// The blacklisted authors.
    hidden: RwLock<Arc<HiddenAuthors>>,
    /// Whether the store withholds what they wrote.
    is_hidden: AtomicBool,
    counts: tokio::sync::Mutex<Option<Counts>>,
}

impl Curating {
    /// Takes the store that keeps lists and configuration; [`Curating::refresh`] reads them.
    pub fn new(authorities: Arc<Authorities>, store: Arc<dyn AclStore>) -> Self {
        Self {
            ledger: Ledger::new(Arc::clone(&store), "acl:curating:", authorities.changes()),
            authorities,
            store,
            counters: Mutex::default(),
            is_restored: AtomicBool::new(false),
            hidden: RwLock::default(),
            is_hidden: AtomicBool::new(false),
            counts: tokio::sync::Mutex::default(),
        }
    }

    /// Takes over what other processes decided, and a configuration that was stored by other ways.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        if !self.is_restored.load(Ordering::Acquire) {
            self.restore_counts(Timestamp::now()).await?;
        }
        let is_new = self.ledger.refresh().await?;
        if is_new || !self.is_hidden.load(Ordering::Acquire) {
            self.hide().await?;
        }
        self.find_config().await
    }

    /// Has the store withhold what blacklisted authors wrote.
    async fn hide(&self) -> Result<(), StoreError> {
        let hidden = Arc::new(HiddenAuthors::new(self.ledger.read().blacklisted()));
        *self.hidden.write() = Arc::clone(&hidden);
        self.is_hidden.store(false, Ordering::Release);
        hidden.keep(&*self.store).await?;
        self.is_hidden.store(true, Ordering::Release);
        Ok(())
    }

    async fn find_config(&self) -> Result<(), StoreError> {
        let authors = self.authorities.operators();
        let since = self.ledger.read().config.as_ref().map(|config| config.configured_at);
        if authors.is_empty() {
            return Ok(());
        }
        let filter = Filter {
            kinds: Some(vec![CONFIG_KIND]),
            authors: Some(authors),
            tags: [(b'd', vec![CONFIG_NAME.into()])].into(),
            since,
            limit: Some(1),
            ..Filter::default()
        };
        let mut rows = self.store.query(Query::by_operator(filter));
        while let Some(batch) = rows.next().await? {
            for (_, event) in batch.iter() {
                let Ok(config) = CuratingConfig::of(event) else { continue };
                self.take(config).await?;
            }
        }
        Ok(())
    }

    /// Puts a configuration in force, if it is newer.
    async fn take(&self, config: CuratingConfig) -> Result<(), StoreError> {
        let is_newer = self.ledger.read().config.as_ref().is_none_or(|current| {
            (config.configured_at, current.event) > (current.configured_at, config.event)
        });
        if is_newer {
            tracing::info!(by = %config.author, "curating configuration");
            self.ledger.set(vec![("config".into(), Some(config.to_marker()))]).await?;
        }
        Ok(())
    }

    fn standing(&self, state: &State, author: Pubkey) -> Standing {
        if self.authorities.level(Some(author)).is_some() {
            Standing::Operator
        } else {
            decide::standing(state, author)
        }
    }

    async fn set(&self, changes: Vec<(String, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        let is_about_hidden = changes.iter().any(|(key, _)| List::BlacklistedPubkeys.has_key(key));
        self.ledger.set(changes).await?;
        if is_about_hidden { self.hide().await } else { Ok(()) }
    }
}

#[async_trait]
impl AccessControl for Curating {
    fn mode(&self) -> Mode {
        Mode::Curating
    }

    fn is_ready(&self) -> bool {
        self.ledger.is_read()
    }

    fn revision(&self) -> u64 {
        // A ban ends without a change: levels are asked again each minute.
        self.authorities.changes().count().wrapping_add(Timestamp::now().as_secs() / 60)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.authorities.changes().follow()
    }

    async fn level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection> {
        if let Some(level) = self.authorities.level(pubkey) {
            return Ok(level);
        }
        let state = self.ledger.read();
        let standing = pubkey.map(|pubkey| decide::standing(&state, pubkey));
        let ip = address.to_canonical();
        let is_blocked = state.lists.has(List::BlockedIps, Subject::Ip(ip))
            || state.banned_until(counted(address), Timestamp::now()).is_some();
        Ok(decide::level(standing, is_blocked))
    }

    async fn check(&self, event: EventRef<'_>, address: IpAddr) -> Result<(), Rejection> {
        let now = Timestamp::now();
        self.check_policy(event, now)?;
        match self.check_address(Some(event.pubkey()), address, now).await {
            Ok(Verdict::Allowed) => Ok(()),
            Ok(Verdict::Refused(text)) => Err(Rejection::new(Prefix::RateLimited, text)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "ban an address");
                Err(Rejection::new(Prefix::RateLimited, "too much came from this address"))
            }
        }
    }

    async fn throttle(&self, _: Option<Pubkey>, _: IpAddr) -> Result<Duration, Rejection> {
        Ok(Duration::ZERO)
    }

    async fn on_stored(&self, event: EventRef<'_>) {
        if !decide::is_config(event) || !self.authorities.is_operator(&event.pubkey()) {
            return;
        }
        let Ok(config) = CuratingConfig::of(event) else { return };
        if let Err(error) = self.take(config).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "keep the configuration");
        }
    }

    fn hidden_authors(&self) -> Arc<HiddenAuthors> {
        Arc::clone(&self.hidden.read())
    }
}

#[cfg(test)]
mod tests;
