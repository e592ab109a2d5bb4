//! Everything a filter matches, without limit and in no promised order.

use event::{EventRef, Filter, Timestamp};
use heed::RoTxn;
use store::{Serial, Viewer};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::plan::Plan;
use crate::query::time_range;
use crate::scan::{narrowest, serials};

/// Shows each event that matches and may be seen, until `visit` has enough (`false`).
pub(crate) fn for_each(
    lmdb: &Lmdb,
    txn: &RoTxn<'_>,
    filter: &Filter,
    viewer: &Viewer,
    mut visit: impl FnMut(Serial, EventRef<'_>) -> bool,
) -> Result<(), LmdbError> {
    let now = Timestamp::now();
    let mut show = |serial| {
        let Some(event) = lmdb.tables.event(txn, serial)? else { return Ok(true) };
        let is_match = filter.matches(event) && viewer.may_see(event) && !event.is_expired(now);
        Ok::<_, LmdbError>(!is_match || visit(serial, event))
    };
    match Plan::for_filter(filter, &lmdb.tables) {
        Plan::Nothing => {}
        Plan::Ids(ids) => {
            for id in &ids {
                if let Some(serial) = lmdb.tables.serial_of(txn, id)?
                    && !show(serial)?
                {
                    break;
                }
            }
        }
        Plan::Scans(ways) => {
            let range = time_range(filter);
            // In order of serial, events that lie side by side are read one after the other.
            for serial in serials(narrowest(ways, txn, range)?, txn, range)? {
                if !show(serial)? {
                    break;
                }
            }
        }
    }
    Ok(())
}
