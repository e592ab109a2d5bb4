//! Taking events out again.

use event::{Address, EventId, EventRef, Kind, Timestamp};
use heed::{RoTxn, RwTxn};
use store::{Serial, Tombstone};

use crate::LmdbError;
use crate::entries::Entries;
use crate::keys::{Posting, address_key, join, oldest_first, serial_bytes, serial_from};
use crate::lookup::NOBODY;
use crate::summary::{Change, Changes};
use crate::tables::Tables;

/// Removes one event and all that points to it; returns whether it was there.
pub(crate) fn remove(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    serial: Serial,
    changes: &mut Changes,
) -> Result<bool, LmdbError> {
    let Some(event) = tables.event(wtxn, serial)?.map(EventRef::to_event) else { return Ok(false) };
    let mut entries = Entries::new(tables.hash_key);
    entries.add(event.as_ref(), serial);
    entries.delete(tables, wtxn)?;
    tables.events.delete(wtxn, &serial_bytes(serial))?;
    changes.push(Change::Remove, event.as_ref());
    Ok(true)
}

/// Removes events by id on the operator's behalf; returns how many were there.
pub(crate) fn remove_ids(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    ids: &[EventId],
    tombstone: Tombstone,
    changes: &mut Changes,
) -> Result<u64, LmdbError> {
    let mut removed = 0;
    for id in ids {
        if let Some(serial) = tables.serial_of(wtxn, id)? {
            removed += u64::from(remove(tables, wtxn, serial, changes)?);
        }
        let key: [u8; 64] = join(&[id.as_bytes(), NOBODY]);
        match tombstone {
            Tombstone::Keep => tables.deleted_ids.put(wtxn, &key, &[])?,
            Tombstone::Forget => drop(tables.deleted_ids.delete(wtxn, &key)?),
        }
    }
    Ok(removed)
}

/// Removes what stands at an address unless it is newer, and keeps the address closed until then; returns
/// whether it was there.
pub(crate) fn remove_at(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    address: &Address,
    until: Timestamp,
    changes: &mut Changes,
) -> Result<bool, LmdbError> {
    let mut is_removed = false;
    if let Some(serial) = tables.at_address(wtxn, address)? {
        let old = tables.event(wtxn, serial)?;
        if old.is_some_and(|old| old.created_at() <= until) {
            is_removed = remove(tables, wtxn, serial, changes)?;
        }
    }
    let before = tables.address_deleted_until(wtxn, address)?;
    let until = before.map_or(until, |before| before.max(until));
    tables.deleted_addresses.put(wtxn, &address_key(address), &oldest_first(until))?;
    Ok(is_removed)
}

/// Removes what expired by `now` (NIP-40), at most `most` events; returns how many.
pub(crate) fn remove_expired(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    now: Timestamp,
    most: usize,
    changes: &mut Changes,
) -> Result<usize, LmdbError> {
    let mut due = Vec::new();
    for entry in tables.by_expiration.iter(wtxn)? {
        let (expiration, serial) = entry?.0.split_at(5);
        if *expiration > oldest_first(now)[..] || due.len() == most {
            break;
        }
        due.push(serial_from(serial));
    }
    for &serial in &due {
        remove(tables, wtxn, serial, changes)?;
    }
    Ok(due.len())
}

/// Forgets an author (NIP-62): what they wrote up to the request, and gift wraps sent to them.
pub(crate) fn vanish(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    request: EventRef<'_>,
    changes: &mut Changes,
) -> Result<(), LmdbError> {
    let (pubkey, until) = (request.pubkey(), request.created_at());
    let hash_key = tables.hash_key;
    let written = serials(tables.by_author_kind, wtxn, &hash_key.author(&pubkey))?;
    let received = serials(tables.by_tag, wtxn, &hash_key.tag(b'p', &pubkey.to_string()))?;
    for serial in written.into_iter().chain(received) {
        let Some(event) = tables.event(wtxn, serial)? else { continue };
        let own = event.pubkey() == pubkey && event.kind() != Kind::VANISH;
        let wrap = event.kind() == Kind::GIFT_WRAP && event.is_party(&pubkey);
        if (own || wrap) && event.created_at() <= until {
            remove(tables, wtxn, serial, changes)?;
        }
    }
    let before = tables.vanished_until(wtxn, &pubkey)?;
    let until = before.map_or(until, |before| before.max(until));
    tables.vanished.put(wtxn, pubkey.as_bytes(), &oldest_first(until))?;
    Ok(())
}

fn serials(
    table: crate::tables::Table,
    txn: &RoTxn<'_>,
    prefix: &[u8],
) -> Result<Vec<Serial>, LmdbError> {
    let mut serials = Vec::new();
    for entry in table.prefix_iter(txn, prefix)? {
        serials.extend(Posting::from_key(entry?.0).map(Posting::serial));
    }
    Ok(serials)
}
