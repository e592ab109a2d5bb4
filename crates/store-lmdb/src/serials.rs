//! Events by serial, and what a save would come to.

use std::ops::Bound;

use async_trait::async_trait;
use event::{Address, Event, EventId, EventRef, KindClass, Timestamp, supersedes};
use heed::RoTxn;
use store::{EventBatch, Preview, SaveOutcome, Serial, SerialStore, StoreError};

use crate::keys::{serial_bytes, serial_from};
use crate::tables::Tables;
use crate::writer::Job;
use crate::{LmdbError, LmdbStore, count};

#[async_trait]
impl SerialStore for LmdbStore {
    async fn serials_of(&self, ids: &[EventId]) -> Result<Vec<Option<Serial>>, StoreError> {
        let tables = &self.lmdb.tables;
        let found = self.lmdb.read(|txn| ids.iter().map(|id| tables.serial_of(txn, id)).collect());
        Ok(found?)
    }

    async fn fetch(&self, serials: &[Serial]) -> Result<EventBatch, StoreError> {
        let batch = self.lmdb.read(|txn| {
            let mut batch = EventBatch::default();
            for &serial in serials {
                if let Some(event) = self.lmdb.tables.event(txn, serial)? {
                    batch.push(serial, event);
                }
            }
            Ok(batch)
        });
        Ok(batch?)
    }

    async fn serials(
        &self,
        first: Serial,
        last: Serial,
        most: usize,
    ) -> Result<Vec<Serial>, StoreError> {
        let (first, last) = (first.min(Serial::MAX), last.min(Serial::MAX));
        if first > last {
            return Ok(Vec::new());
        }
        let (first, last) = (serial_bytes(first), serial_bytes(last));
        let range = (Bound::Included(&first[..]), Bound::Included(&last[..]));
        let found = self.lmdb.read(|txn| {
            let entries = self.lmdb.tables.events.range(txn, &range)?.take(most);
            entries.map(|entry| Ok(serial_from(entry?.0))).collect()
        });
        Ok(found?)
    }

    async fn preview(&self, event: &Event) -> Result<Preview, StoreError> {
        let now = Timestamp::now();
        Ok(self.lmdb.read(|txn| preview(&self.lmdb.tables, txn, event.as_ref(), now))?)
    }

    async fn remove_expired(&self) -> Result<(), StoreError> {
        while self.lmdb.read(|txn| count::is_expiry_due(&self.lmdb, txn))? {
            self.submit(|reply| Job::Sweep { reply }).await?;
        }
        Ok(())
    }
}

/// Decides as a batch of one event does (`save`), on a snapshot.
fn preview(
    tables: &Tables,
    txn: &RoTxn<'_>,
    event: EventRef<'_>,
    now: Timestamp,
) -> Result<Preview, LmdbError> {
    let refused = |outcome| Ok(Preview::Refused(outcome));
    if event.kind().class() == KindClass::Ephemeral {
        return refused(SaveOutcome::Ephemeral);
    }
    if event.is_expired(now) {
        return refused(SaveOutcome::Expired);
    }
    if tables.serial_of(txn, &event.id())?.is_some() {
        return refused(SaveOutcome::Duplicate);
    }
    if tables.is_id_deleted(txn, event)? {
        return refused(SaveOutcome::Deleted);
    }
    if tables.has_vanished(txn, event)? {
        return refused(SaveOutcome::Vanished);
    }
    let Some(address) = Address::of(event) else { return Ok(Preview::Stored) };
    let until = tables.address_deleted_until(txn, &address)?;
    if until.is_some_and(|until| event.created_at() <= until) {
        return refused(SaveOutcome::Deleted);
    }
    let Some(serial) = tables.at_address(txn, &address)? else { return Ok(Preview::Stored) };
    match tables.event(txn, serial)? {
        Some(old) if !supersedes(event, old) => refused(SaveOutcome::Superseded),
        Some(_) => Ok(Preview::Replaces(serial)),
        None => Ok(Preview::Stored),
    }
}
