//! Mode curating: newcomers may write a little, trusted authors all, blacklisted authors nothing.
//!
//! Nothing is taken until an owner or admin publishes the configuration: a kind 30078 with the `d` tag
//! `curating-config`. Who floods from one address is banned for a while.

mod census;
mod config;
mod counters;
mod decide;
mod kinds;
mod state;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use event::{Event, EventRef, Filter, Kind, Prefix, Pubkey, Rejection, Timestamp, Verifier};
use parking_lot::{Mutex, RwLock};
use store::{HiddenAuthors, Query, StoreError};
use tokio::sync::watch;

use self::census::Counts;
use self::counters::{Counted, Counters};
use self::decide::Standing;
use self::state::{Offence, State};
use crate::counted::counted;
use crate::ledger::Ledger;
use crate::management::{ManagementError, changes, check_entry, check_subject};
use crate::{
    AccessControl, AccessLevel, AclStore, Authorities, Entry, List, Mode, Subject,
    UnclassifiedUsers,
};

pub use self::census::Census;
pub use self::config::{CuratingConfig, CuratingConfigError};

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

/// Whether an event may come in as far as its address is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not, for this reason.
    Refused(String),
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

    async fn restore_counts(&self, now: Timestamp) -> Result<(), StoreError> {
        let markers = self.store.markers(COUNTS).await?;
        let mut counters = self.counters.lock();
        markers.iter().for_each(|(_, marker)| counters.restore(marker, now));
        self.is_restored.store(true, Ordering::Release);
        Ok(())
    }

    /// Writes down how much was sent today, and learns what other processes counted.
    pub async fn keep_counts(&self, now: Timestamp) -> Result<(), StoreError> {
        let unsaved = self.counters.lock().unsaved(now);
        for some in unsaved {
            let key = format!("{COUNTS}{:02}", some.shard);
            let marker = self.store.marker(&key).await?.unwrap_or_default();
            let marker = some.added_to(&marker);
            self.store.set_marker(&key, Some(marker.clone())).await?;
            self.counters.lock().settle(&some, &marker);
        }
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

    /// Takes a configuration; its author must be an owner or admin, and its signature hold.
    pub(crate) async fn configure(&self, event: Event) -> Result<(), ManagementError> {
        let event = event.as_ref();
        let invalid = |text: String| Err(ManagementError::Invalid(text));
        if !self.authorities.is_operator(&event.pubkey()) {
            return invalid(format!("{} is no owner or admin", event.pubkey()));
        }
        if let Err(forged) = Verifier::default().verify(event) {
            return invalid(forged.to_string());
        }
        match CuratingConfig::of(event) {
            Ok(config) => Ok(self.take(config).await?),
            Err(error) => invalid(error.to_string()),
        }
    }

    /// The configuration in force.
    pub fn config(&self) -> Option<CuratingConfig> {
        self.ledger.read().config.clone()
    }

    /// Says why an event is refused, whatever address it comes from; counts it.
    pub fn check_policy(&self, event: EventRef<'_>, now: Timestamp) -> Result<(), Rejection> {
        let state = self.ledger.read();
        let standing = self.standing(&state, event.pubkey());
        if decide::is_allowed(&state, standing, event)? {
            return Ok(());
        }
        let limit = state.config.as_ref().map_or(0, |config| config.daily_limit);
        drop(state);
        if self.counters.lock().add(Counted::Pubkey(event.pubkey()), limit, now) {
            return Ok(());
        }
        let text = format!("newcomers may publish {limit} events a day here");
        Err(Rejection::new(Prefix::RateLimited, text))
    }

    /// Whether an author may publish from an address; counts it. Who floods is banned for a while.
    pub async fn check_address(
        &self,
        author: Option<Pubkey>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Verdict, StoreError> {
        let address = counted(address);
        let limit = {
            let state = self.ledger.read();
            let standing = author.map(|author| self.standing(&state, author));
            if matches!(standing, Some(Standing::Operator | Standing::Trusted)) {
                return Ok(Verdict::Allowed);
            }
            if let Some(until) = state.banned_until(address, now) {
                return Ok(Verdict::Refused(banned(until, now)));
            }
            let Some(config) = &state.config else {
                return Ok(Verdict::Refused(decide::NOT_CONFIGURED.into()));
            };
            config.ip_daily_limit
        };
        if self.counters.lock().add(Counted::Address(address), limit, now) {
            return Ok(Verdict::Allowed);
        }
        let until = self.ban(address, now).await?;
        Ok(Verdict::Refused(banned(until, now)))
    }

    async fn ban(&self, address: IpAddr, now: Timestamp) -> Result<Timestamp, StoreError> {
        let offence = {
            let state = self.ledger.read();
            let earlier = state.offences.get(&address).map_or(0, |offence| offence.count);
            let hours = state.config.as_ref().map_or(1, |config| config.ban_hours(earlier));
            let until = Timestamp::from_secs(now.as_secs() + u64::from(hours) * 3600);
            Offence { count: earlier.saturating_add(1), until }
        };
        tracing::info!(%address, offences = offence.count, until = %offence.until, "ban an address");
        self.counters.lock().forget(Counted::Address(address));
        let key = format!("offence:{address}");
        self.ledger.set(vec![(key, Some(offence.to_marker()))]).await?;
        Ok(offence.until)
    }

    fn standing(&self, state: &State, author: Pubkey) -> Standing {
        if self.authorities.level(Some(author)).is_some() {
            Standing::Operator
        } else {
            decide::standing(state, author)
        }
    }

    pub(crate) async fn put(&self, list: List, entry: Entry) -> Result<(), ManagementError> {
        check_entry(Mode::Curating, list, &entry)?;
        if let (List::BlacklistedPubkeys, Subject::Pubkey(pubkey)) = (list, entry.subject)
            && self.authorities.is_operator(&pubkey)
        {
            let text = format!("{pubkey} is an owner or admin and cannot be blacklisted");
            return Err(ManagementError::Invalid(text));
        }
        Ok(self.set(changes(list, &entry)).await?)
    }

    async fn set(&self, changes: Vec<(String, Option<Vec<u8>>)>) -> Result<(), StoreError> {
        let is_about_hidden = changes.iter().any(|(key, _)| List::BlacklistedPubkeys.has_key(key));
        self.ledger.set(changes).await?;
        if is_about_hidden { self.hide().await } else { Ok(()) }
    }

    pub(crate) async fn remove(&self, list: List, subject: Subject) -> Result<(), ManagementError> {
        check_subject(Mode::Curating, list, subject)?;
        let mut removed = vec![(list.key(subject), None)];
        if let Subject::Ip(address) = subject {
            let address = counted(address);
            removed.push((format!("offence:{address}"), None));
            self.counters.lock().forget(Counted::Address(address));
        }
        Ok(self.set(removed).await?)
    }

    /// What is on a list; with the addresses also those that are banned for a while.
    pub(crate) fn entries(
        &self,
        list: List,
        now: Timestamp,
    ) -> Result<Vec<Entry>, ManagementError> {
        if !list.belongs_to(Mode::Curating) {
            return Err(ManagementError::needs_lists(Mode::Curating, list));
        }
        let state = self.ledger.read();
        let mut entries: Vec<Entry> = state.lists.entries(list).cloned().collect();
        if list == List::BlockedIps {
            entries.extend(state.banned(now));
        }
        Ok(entries)
    }

    /// Counts the events of all authors anew.
    pub(crate) async fn scan(&self) -> Result<Census, StoreError> {
        let mut counts = self.counts.lock().await;
        let found = Counts::take(&*self.store).await?;
        let census = found.census();
        *counts = Some(found);
        Ok(census)
    }

    /// Authors who are neither trusted nor blacklisted, as of the last scan.
    pub(crate) async fn unclassified(
        &self,
        limit: usize,
        offset: usize,
    ) -> Result<UnclassifiedUsers, StoreError> {
        let mut counts = self.counts.lock().await;
        if counts.is_none() {
            *counts = Some(Counts::take(&*self.store).await?);
        }
        let state = self.ledger.read();
        let is_newcomer = |author: Pubkey| self.standing(&state, author) == Standing::Newcomer;
        Ok(counts
            .as_ref()
            .map(|counts| counts.page(is_newcomer, limit, offset))
            .unwrap_or_default())
    }
}

fn banned(until: Timestamp, now: Timestamp) -> String {
    let minutes = until.as_secs().saturating_sub(now.as_secs()).div_ceil(60);
    format!("too much came from this address, it is banned for {minutes} more minutes")
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
