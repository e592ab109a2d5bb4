//! Saving a batch: decides about each event in order, then writes what is left in order of key.

use std::collections::HashMap;

use event::{
    Address, Deletion, Event, EventId, EventRef, KindClass, Timestamp, is_vanish_request,
    may_delete, supersedes,
};
use heed::{PutFlags, RwTxn};
use store::{EventBatch, SaveOutcome, Serial};

use crate::LmdbError;
use crate::delete::{remove, remove_at, vanish};
use crate::entries::Entries;
use crate::env::{NEXT_SERIAL_KEY, next_serial};
use crate::keys::{address_key, join, serial_bytes};
use crate::summary::{Change, Changes};
use crate::tables::Tables;

/// A batch under way in one transaction.
pub(crate) struct Batch<'a, 'txn, 'env> {
    tables: &'a Tables,
    wtxn: &'txn mut RwTxn<'env>,
    now: Timestamp,
    relay_urls: &'a [String],
    /// What was accepted and is not written yet; `None` where it was replaced or deleted since.
    pending: Vec<Option<(Serial, &'a Event)>>,
    /// Where in `pending` an id is.
    ids: HashMap<EventId, usize>,
    /// Where in `pending` the newest event of an address is.
    addresses: HashMap<[u8; 16], usize>,
    next_serial: u64,
    pub(crate) changes: Changes,
    stored: EventBatch,
}

impl<'a, 'txn, 'env> Batch<'a, 'txn, 'env> {
    pub(crate) fn new(
        tables: &'a Tables,
        wtxn: &'txn mut RwTxn<'env>,
        now: Timestamp,
        relay_urls: &'a [String],
    ) -> Result<Self, LmdbError> {
        let next_serial = next_serial(tables, wtxn)?;
        Ok(Self {
            tables,
            wtxn,
            now,
            relay_urls,
            pending: Vec::new(),
            ids: HashMap::new(),
            addresses: HashMap::new(),
            next_serial,
            changes: Changes::default(),
            stored: EventBatch::default(),
        })
    }

    /// Decides about one event.
    pub(crate) fn save(&mut self, event: &'a Event) -> Result<SaveOutcome, LmdbError> {
        if let Some(refusal) = self.refusal(event.as_ref())? {
            return Ok(refusal);
        }
        let address = Address::of(event.as_ref());
        if let Some(address) = &address
            && let Some(refusal) = self.take_address(address, event.as_ref())?
        {
            return Ok(refusal);
        }
        if let Some(deletion) = Deletion::of(event.as_ref()) {
            self.apply(event.as_ref(), &deletion)?;
        }
        if is_vanish_request(event.as_ref(), self.relay_urls) {
            self.flush()?;
            vanish(self.tables, self.wtxn, event.as_ref(), &mut self.changes)?;
        }
        let serial = Serial::new(self.next_serial);
        self.next_serial += 1;
        self.ids.insert(event.as_ref().id(), self.pending.len());
        if let Some(address) = address {
            self.addresses.insert(address_key(&address), self.pending.len());
        }
        self.pending.push(Some((serial, event)));
        Ok(SaveOutcome::Stored(serial))
    }

    /// Writes what was accepted; returns it in order of serial, for those who watch.
    pub(crate) fn finish(mut self, keep_summaries: bool) -> Result<EventBatch, LmdbError> {
        self.flush()?;
        let next = serial_bytes(Serial::new(self.next_serial));
        self.tables.meta.put(self.wtxn, NEXT_SERIAL_KEY, &next)?;
        if keep_summaries {
            self.changes.apply(self.tables, self.wtxn)?;
        }
        Ok(self.stored)
    }

    /// Why the event is not to be stored, apart from a newer one at its address.
    fn refusal(&self, event: EventRef<'_>) -> Result<Option<SaveOutcome>, LmdbError> {
        let id = event.id();
        if event.kind().class() == KindClass::Ephemeral {
            return Ok(Some(SaveOutcome::Ephemeral));
        }
        if event.is_expired(self.now) {
            return Ok(Some(SaveOutcome::Expired));
        }
        let is_pending = self.ids.get(&id).is_some_and(|&at| self.pending[at].is_some());
        if is_pending || self.tables.serial_of(self.wtxn, &id)?.is_some() {
            return Ok(Some(SaveOutcome::Duplicate));
        }
        if self.tables.is_id_deleted(self.wtxn, event)? {
            return Ok(Some(SaveOutcome::Deleted));
        }
        if self.tables.has_vanished(self.wtxn, event)? {
            return Ok(Some(SaveOutcome::Vanished));
        }
        Ok(None)
    }

    /// Clears the address for `event`, or says why it may not stand there.
    fn take_address(
        &mut self,
        address: &Address,
        event: EventRef<'_>,
    ) -> Result<Option<SaveOutcome>, LmdbError> {
        let until = self.tables.address_deleted_until(self.wtxn, address)?;
        if until.is_some_and(|until| event.created_at() <= until) {
            return Ok(Some(SaveOutcome::Deleted));
        }
        if let Some(at) = self.pending_at(address) {
            if self.pending[at].is_some_and(|(_, old)| !supersedes(event, old.as_ref())) {
                return Ok(Some(SaveOutcome::Superseded));
            }
            self.pending[at] = None;
        } else if let Some(serial) = self.tables.at_address(self.wtxn, address)? {
            if self.tables.event(self.wtxn, serial)?.is_some_and(|old| !supersedes(event, old)) {
                return Ok(Some(SaveOutcome::Superseded));
            }
            remove(self.tables, self.wtxn, serial, &mut self.changes)?;
        }
        Ok(None)
    }

    fn pending_at(&self, address: &Address) -> Option<usize> {
        self.addresses.get(&address_key(address)).copied()
    }

    /// Carries out a deletion request (NIP-09).
    fn apply(&mut self, request: EventRef<'_>, deletion: &Deletion) -> Result<(), LmdbError> {
        let author = request.pubkey();
        for id in &deletion.ids {
            if self.delete_id(request, id)? {
                let key: [u8; 64] = join(&[id.as_bytes(), author.as_bytes()]);
                self.tables.deleted_ids.put(self.wtxn, &key, &[])?;
            }
        }
        for address in &deletion.addresses {
            self.delete_address(address, request.created_at())?;
        }
        Ok(())
    }

    /// Removes the event if it is there; `false` if it is not the author's to delete.
    fn delete_id(&mut self, request: EventRef<'_>, id: &EventId) -> Result<bool, LmdbError> {
        if let Some(&at) = self.ids.get(id) {
            if self.pending[at].is_some_and(|(_, target)| !may_delete(request, target.as_ref())) {
                return Ok(false);
            }
            self.pending[at] = None;
        } else if let Some(serial) = self.tables.serial_of(self.wtxn, id)? {
            if self
                .tables
                .event(self.wtxn, serial)?
                .is_some_and(|target| !may_delete(request, target))
            {
                return Ok(false);
            }
            remove(self.tables, self.wtxn, serial, &mut self.changes)?;
        }
        Ok(true)
    }

    fn delete_address(&mut self, address: &Address, until: Timestamp) -> Result<(), LmdbError> {
        if let Some(at) = self.pending_at(address)
            && self.pending[at].is_some_and(|(_, old)| old.as_ref().created_at() <= until)
        {
            self.pending[at] = None;
        }
        remove_at(self.tables, self.wtxn, address, until, &mut self.changes)?;
        Ok(())
    }

    /// Writes what is pending.
    fn flush(&mut self) -> Result<(), LmdbError> {
        let mut entries = Entries::new(self.tables.hash_key);
        for (serial, event) in self.pending.drain(..).flatten() {
            let event = event.as_ref();
            self.tables.events.put_with_flags(
                self.wtxn,
                PutFlags::APPEND,
                &serial_bytes(serial),
                event.as_bytes(),
            )?;
            entries.add(event, serial);
            self.changes.push(Change::Insert, event);
            self.stored.push(serial, event);
        }
        self.ids.clear();
        self.addresses.clear();
        entries.put(self.tables, self.wtxn)
    }
}
