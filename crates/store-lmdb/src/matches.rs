//! Everything a filter matches, without limit and in no promised order.

use event::{EventRef, Filter, Timestamp};
use heed::RoTxn;
use store::{Serial, Viewer};

use crate::LmdbError;
use crate::env::Lmdb;
use crate::keys::Posting;
use crate::plan::Plan;
use crate::query::time_range;
use crate::scan::{Merge, Position, narrowest};

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
            let scans = narrowest(ways, txn, range)?;
            let mut positions: Vec<Position> = scans.into_iter().map(Position::start).collect();
            let mut merge = Merge::open(&mut positions, txn, range)?;
            while let Some(serial) = merge.next()?.map(Posting::serial) {
                if !show(serial)? {
                    break;
                }
            }
        }
    }
    Ok(())
}
