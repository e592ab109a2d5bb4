//! What newcomers and addresses may send in a day, and what becomes of who floods.

use std::net::IpAddr;
use std::sync::atomic::Ordering;

use event::{EventRef, Prefix, Pubkey, Rejection, Timestamp};
use store::StoreError;

use super::counters::Counted;
use super::decide::{self, Standing};
use super::state::Offence;
use super::{COUNTS, Curating};
use crate::counted::counted;

/// Whether an event may come in as far as its address is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not, for this reason.
    Refused(String),
}

impl Curating {
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

    pub(super) async fn restore_counts(&self, now: Timestamp) -> Result<(), StoreError> {
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
}

fn banned(until: Timestamp, now: Timestamp) -> String {
    let minutes = until.as_secs().saturating_sub(now.as_secs()).div_ceil(60);
    format!("too much came from this address, it is banned for {minutes} more minutes")
}
