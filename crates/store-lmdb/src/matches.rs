//! Everything a filter matches, without limit and in no promised order.

use event::{EventRef, Filter, Timestamp};
use heed::RoTxn;
use reconcile::Item;
use store::{HiddenAuthors, Serial, Viewer};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::heads::Heads;
use crate::keys::Posting;
use crate::plan::Plan;
use crate::query::time_range;
use crate::scan::{narrowest, postings, split};

/// An event that matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) serial: Serial,
    pub(crate) item: Item,
}

/// A filter, and who asks.
struct Asked<'a, 't> {
    lmdb: &'a Lmdb,
    txn: &'a RoTxn<'t>,
    filter: &'a Filter,
    viewer: &'a Viewer,
    hidden: HiddenAuthors<&'a [u8]>,
    now: Timestamp,
}

/// Shows each event that matches and may be seen, until `visit` has enough (`false`).
pub(crate) fn for_each(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    viewer: &Viewer,
    mut visit: impl FnMut(Match) -> bool,
) -> Result<(), LmdbError> {
    let hidden = lmdb.tables.hidden_from(txn, viewer)?;
    let asked = Asked { lmdb, txn, filter, viewer, hidden, now: Timestamp::now() };
    match Plan::for_filter(filter, &lmdb.tables) {
        Plan::Nothing => {}
        Plan::Ids(ids) => {
            for id in &ids {
                if let Some(serial) = lmdb.tables.serial_of(txn, id)?
                    && let Some(found) = asked.read(serial)?
                    && !visit(found)
                {
                    break;
                }
            }
        }
        Plan::Scans(ways) => {
            let range = time_range(filter);
            let mut scans = narrowest(ways, txn, range)?;
            if filter.since.is_some() || filter.until.is_some() {
                scans = split(scans, txn, filter.kinds.as_deref())?;
            }
            let is_exact = Plan::is_exact(filter) && hidden.is_empty();
            let mut heads = Heads::new(&lmdb.tables, txn);
            // In order of serial, what lies side by side is read one after the other.
            for posting in postings(scans, txn, range)? {
                let found = if is_exact {
                    asked.glance(posting, &mut heads)?
                } else {
                    asked.read(posting.serial())?
                };
                if found.is_some_and(|found| !visit(found)) {
                    break;
                }
            }
        }
    }
    Ok(())
}

impl Asked<'_, '_> {
    /// Decides by the head of an event that the index found, and reads it only where that is not enough.
    fn glance(&self, posting: Posting, heads: &mut Heads<'_>) -> Result<Option<Match>, LmdbError> {
        let serial = posting.serial();
        let Some(head) = heads.get(serial)? else { return Ok(None) };
        if self.filter.kinds.as_ref().is_some_and(|kinds| kinds.binary_search(&head.kind).is_err())
        {
            return Ok(None);
        }
        if head.expires || self.viewer.is_restricted(head.kind) {
            return self.read(serial);
        }
        let item = Item { created_at: posting.created_at(), id: head.id };
        Ok(Some(Match { serial, item }))
    }

    /// Reads the event and decides.
    fn read(&self, serial: Serial) -> Result<Option<Match>, LmdbError> {
        let event = self.lmdb.tables.event(self.txn, serial)?;
        let is_match = |event: &EventRef<'_>| {
            self.filter.matches(*event)
                && self.viewer.may_see(*event, &self.hidden)
                && !event.is_expired(self.now)
        };
        Ok(event.filter(is_match).map(|event| {
            let item = Item { created_at: event.created_at(), id: event.id() };
            Match { serial, item }
        }))
    }
}
