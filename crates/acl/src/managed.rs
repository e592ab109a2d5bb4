//! Mode managed: an operator says who may do what (NIP-86).

mod decide;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use event::{EventRef, Pubkey, Rejection};
use store::{HiddenAuthors, StoreError, Tombstone};
use tokio::sync::watch;

use crate::ledger::{Ledger, Mirror};
use crate::lists::Lists;
use crate::management::{ManagementError, changes, check_entry, check_subject};
use crate::{AccessControl, AccessLevel, AclStore, Authorities, Entry, List, Mode, Subject};

/// Access control by lists that an operator keeps.
pub struct Managed {
    authorities: Arc<Authorities>,
    auth_required: bool,
    store: Arc<dyn AclStore>,
    ledger: Ledger<Lists>,
}

impl Mirror for Lists {
    fn apply(&mut self, key: &str, value: Option<&[u8]>) {
        Self::apply(self, key, value);
    }
}

impl Managed {
    /// Takes the store that keeps the lists; [`Managed::refresh`] reads them. With `auth_required`
    /// nobody unknown reads.
    pub fn new(
        authorities: Arc<Authorities>,
        store: Arc<dyn AclStore>,
        auth_required: bool,
    ) -> Self {
        let ledger = Ledger::new(Arc::clone(&store), "acl:managed:", authorities.changes());
        Self { authorities, auth_required, store, ledger }
    }

    /// Takes over what other processes decided.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.ledger.refresh().await.map(drop)
    }

    pub(crate) async fn put(&self, list: List, entry: Entry) -> Result<(), ManagementError> {
        check_entry(Mode::Managed, list, &entry)?;
        if let (List::BannedPubkeys, Subject::Pubkey(pubkey)) = (list, entry.subject)
            && self.authorities.is_operator(&pubkey)
        {
            let text = format!("{pubkey} is an owner or admin and cannot be banned");
            return Err(ManagementError::Invalid(text));
        }
        let was_banned = self.ledger.read().has(List::BannedEvents, entry.subject);
        self.ledger.set(changes(list, &entry)).await?;
        match (list, entry.subject) {
            (List::BannedEvents, Subject::Event(id)) => {
                self.store.delete(&[id], Tombstone::Keep).await?;
            }
            (List::AllowedEvents, Subject::Event(id)) if was_banned => {
                self.store.delete(&[id], Tombstone::Forget).await?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) async fn remove(&self, list: List, subject: Subject) -> Result<(), ManagementError> {
        check_subject(Mode::Managed, list, subject)?;
        if !self.ledger.read().has(list, subject) {
            return Ok(());
        }
        self.ledger.set(vec![(list.key(subject), None)]).await?;
        if let (List::BannedEvents, Subject::Event(id)) = (list, subject) {
            self.store.delete(&[id], Tombstone::Forget).await?;
        }
        Ok(())
    }

    pub(crate) fn entries(&self, list: List) -> Result<Vec<Entry>, ManagementError> {
        if !list.belongs_to(Mode::Managed) {
            return Err(ManagementError::needs_lists(Mode::Managed, list));
        }
        Ok(self.ledger.read().entries(list).cloned().collect())
    }
}

#[async_trait]
impl AccessControl for Managed {
    fn mode(&self) -> Mode {
        Mode::Managed
    }

    fn is_ready(&self) -> bool {
        self.ledger.is_read()
    }

    fn revision(&self) -> u64 {
        self.authorities.changes().count()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.authorities.changes().follow()
    }

    async fn level(
        &self,
        pubkey: Option<Pubkey>,
        address: IpAddr,
    ) -> Result<AccessLevel, Rejection> {
        let own = self.authorities.level(pubkey);
        Ok(own.unwrap_or_else(|| {
            decide::level(&self.ledger.read(), pubkey, address, self.auth_required)
        }))
    }

    async fn check(&self, event: EventRef<'_>, _: IpAddr) -> Result<(), Rejection> {
        decide::check(&self.ledger.read(), event.id(), event.pubkey(), event.kind())
    }

    async fn throttle(&self, _: Option<Pubkey>, _: IpAddr) -> Result<Duration, Rejection> {
        Ok(Duration::ZERO)
    }

    async fn on_stored(&self, _: EventRef<'_>) {}

    fn hidden_authors(&self) -> Arc<HiddenAuthors> {
        Arc::default()
    }
}
