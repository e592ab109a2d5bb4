//! Point look-ups.

use event::{Address, EventId, EventRef, Pubkey, Timestamp};
use heed::RoTxn;
use store::Serial;

use crate::LmdbError;
use crate::keys::{address_key, serial_bytes, serial_from};
use crate::tables::Tables;

impl Tables {
    /// The event with this serial.
    pub(crate) fn event<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        serial: Serial,
    ) -> Result<Option<EventRef<'t>>, LmdbError> {
        let Some(bytes) = self.events.get(txn, &serial_bytes(serial))? else { return Ok(None) };
        EventRef::from_bytes(bytes).map(Some).map_err(|_| LmdbError::Damaged("a stored event"))
    }

    pub(crate) fn serial_of(
        &self,
        txn: &RoTxn<'_>,
        id: &EventId,
    ) -> Result<Option<Serial>, LmdbError> {
        Ok(self.by_id.get(txn, id.as_bytes())?.map(serial_from))
    }

    /// The event that stands at an address.
    pub(crate) fn at_address(
        &self,
        txn: &RoTxn<'_>,
        address: &Address,
    ) -> Result<Option<Serial>, LmdbError> {
        Ok(self.by_address.get(txn, &address_key(address))?.map(serial_from))
    }

    /// Whether the id was deleted by its author or for everybody.
    pub(crate) fn is_id_deleted(
        &self,
        txn: &RoTxn<'_>,
        id: &EventId,
        author: &Pubkey,
    ) -> Result<bool, LmdbError> {
        for entry in self.deleted_ids.prefix_iter(txn, id.as_bytes())? {
            let who = &entry?.0[EventId::LEN..];
            if who == author.as_bytes() || who == NOBODY {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Up to when an address is deleted.
    pub(crate) fn address_deleted_until(
        &self,
        txn: &RoTxn<'_>,
        address: &Address,
    ) -> Result<Option<Timestamp>, LmdbError> {
        Ok(self.deleted_addresses.get(txn, &address_key(address))?.map(timestamp))
    }

    /// Up to when an author vanished.
    pub(crate) fn vanished_until(
        &self,
        txn: &RoTxn<'_>,
        pubkey: &Pubkey,
    ) -> Result<Option<Timestamp>, LmdbError> {
        Ok(self.vanished.get(txn, pubkey.as_bytes())?.map(timestamp))
    }
}

/// Stands for "nobody may publish it again" in `deleted_ids`.
pub(crate) const NOBODY: &[u8; 32] = &[0; 32];

fn timestamp(bytes: &[u8]) -> Timestamp {
    Timestamp::from_secs(serial_from(bytes).as_u64())
}
