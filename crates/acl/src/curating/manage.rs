//! What an operator changes and looks at.

use event::{Event, Pubkey, Timestamp, Verifier};
use store::StoreError;

use super::census::{Census, Counts};
use super::counters::Counted;
use super::decide::Standing;
use super::{Curating, CuratingConfig};
use crate::counted::counted;
use crate::management::{ManagementError, changes, check_entry, check_subject};
use crate::{Entry, List, Mode, Subject, UnclassifiedUsers};

impl Curating {
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
