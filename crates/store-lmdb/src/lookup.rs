//! Point look-ups.

use event::{Address, EventId, EventRef, Kind, Pubkey, Timestamp, may_delete};
use heed::RoTxn;
use store::{HIDDEN_AUTHORS_MARKER, Hidden, HiddenAuthors, Serial, Viewer};

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

    /// The authors who are hidden from a viewer.
    pub(crate) fn hidden_from<'t>(
        &self,
        txn: &'t RoTxn<'_>,
        viewer: &Viewer,
    ) -> Result<HiddenAuthors<&'t [u8]>, LmdbError> {
        let marker = match viewer.hidden {
            Hidden::Shown => None,
            Hidden::Withheld => self.markers.get(txn, HIDDEN_AUTHORS_MARKER.as_bytes())?,
        };
        Ok(HiddenAuthors::from_marker(marker.unwrap_or_default()))
    }

    /// The event that stands at an address.
    pub(crate) fn at_address(
        &self,
        txn: &RoTxn<'_>,
        address: &Address,
    ) -> Result<Option<Serial>, LmdbError> {
        Ok(self.by_address.get(txn, &address_key(address))?.map(serial_from))
    }

    /// Whether the event's id was deleted for everybody or, if that is possible, by its author.
    pub(crate) fn is_id_deleted(
        &self,
        txn: &RoTxn<'_>,
        event: EventRef<'_>,
    ) -> Result<bool, LmdbError> {
        let author = event.pubkey();
        for entry in self.deleted_ids.prefix_iter(txn, event.id().as_bytes())? {
            let who = &entry?.0[EventId::LEN..];
            if who == NOBODY || who == author.as_bytes() && may_delete(event, event) {
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

    /// Whether a request to vanish (NIP-62) forbids the event: its author's or, for a gift wrap,
    /// that of whom it is for.
    pub(crate) fn has_vanished(
        &self,
        txn: &RoTxn<'_>,
        event: EventRef<'_>,
    ) -> Result<bool, LmdbError> {
        let author = Some(event.pubkey()).filter(|_| event.kind() != Kind::VANISH);
        let most = if event.kind() == Kind::GIFT_WRAP { usize::MAX } else { 0 };
        let parties = event.tags().values_of("p").take(most);
        let parties = parties.filter_map(|value| Pubkey::from_hex(value.as_bytes()).ok());
        for pubkey in author.into_iter().chain(parties) {
            let until = self.vanished_until(txn, &pubkey)?;
            if until.is_some_and(|until| event.created_at() <= until) {
                return Ok(true);
            }
        }
        Ok(false)
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
