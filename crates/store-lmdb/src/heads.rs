//! What reconciling and counting need to know of an event: of whole events five fit a page, of this a hundred.

use event::{EventId, EventRef, Kind};
use heed::{RoTxn, RwTxn};
use store::Serial;

use crate::LmdbError;
use crate::keys::{SerialBytes, serial_bytes};
use crate::tables::Tables;

/// How many heads stand in a block: two blocks fill a page.
const BLOCK: u64 = 56;

/// An event without its text, author and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) id: EventId,
    pub(crate) kind: Kind,
    /// Whether it expires some day (NIP-40).
    pub(crate) expires: bool,
}

impl Head {
    /// `id 32 ‖ kind 2 ‖ expires 1`, all zero where there is no event.
    const LEN: usize = EventId::LEN + 2 + 1;

    pub(crate) fn of(event: EventRef<'_>) -> Self {
        Self { id: event.id(), kind: event.kind(), expires: event.expiration().is_some() }
    }

    fn to_bytes(self) -> [u8; Self::LEN] {
        let kind = self.kind.as_u16().to_be_bytes();
        crate::keys::join(&[self.id.as_bytes(), &kind, &[u8::from(self.expires)]])
    }

    fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let (id, &[high, low, expires]) = bytes.split_first_chunk()? else { return None };
        let kind = Kind::new(u16::from_be_bytes([high, low]));
        let head = Self { id: EventId::new(*id), kind, expires: expires != 0 };
        (*id != [0; EventId::LEN]).then_some(head)
    }
}

/// Heads on a snapshot; the last block is at hand for those that are asked for in order.
pub(crate) struct Heads<'t> {
    tables: &'t Tables,
    txn: &'t RoTxn<'t>,
    block: Option<(u64, &'t [u8])>,
}

impl<'t> Heads<'t> {
    pub(crate) const fn new(tables: &'t Tables, txn: &'t RoTxn<'t>) -> Self {
        Self { tables, txn, block: None }
    }

    /// The head of the event with this serial.
    pub(crate) fn get(&mut self, serial: Serial) -> Result<Option<Head>, LmdbError> {
        let (number, at) = place(serial);
        let block = match self.block {
            Some((known, block)) if known == number => block,
            _ => {
                let block = self.tables.heads.get(self.txn, &key(number))?.unwrap_or_default();
                self.block = Some((number, block));
                block
            }
        };
        Ok(block.as_chunks().0.get(at).and_then(Head::from_bytes))
    }
}

/// Writes heads, or takes them out, in order of serial.
pub(crate) fn write(
    tables: &Tables,
    wtxn: &mut RwTxn<'_>,
    heads: &[(Serial, Option<Head>)],
) -> Result<(), LmdbError> {
    for heads in heads.chunk_by(|a, b| place(a.0).0 == place(b.0).0) {
        let key = key(place(heads[0].0).0);
        let mut block = tables.heads.get(wtxn, &key)?.unwrap_or_default().to_vec();
        for (serial, head) in heads {
            let at = place(*serial).1;
            if block.len() < (at + 1) * Head::LEN {
                block.resize((at + 1) * Head::LEN, 0);
            }
            block.as_chunks_mut().0[at] = head.map_or([0; Head::LEN], Head::to_bytes);
        }
        if block.iter().all(|byte| *byte == 0) {
            tables.heads.delete(wtxn, &key)?;
        } else {
            tables.heads.put(wtxn, &key, &block)?;
        }
    }
    Ok(())
}

/// How many heads there are.
pub(crate) fn count(tables: &Tables, txn: &RoTxn<'_>) -> Result<u64, LmdbError> {
    let mut count = 0;
    for entry in tables.heads.iter(txn)? {
        let heads = entry?.1.as_chunks().0;
        count += heads.iter().filter_map(Head::from_bytes).count() as u64;
    }
    Ok(count)
}

/// The block of a serial, and its place there.
fn place(serial: Serial) -> (u64, usize) {
    let serial = serial.as_u64();
    (serial / BLOCK, usize::try_from(serial % BLOCK).expect("a small number"))
}

fn key(block: u64) -> SerialBytes {
    serial_bytes(Serial::new(block))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::Options;
    use crate::env::Lmdb;

    fn head(number: u8) -> Head {
        let kind = Kind::new(u16::from(number) * 3);
        Head { id: EventId::new([number; 32]), kind, expires: number.is_multiple_of(2) }
    }

    #[test]
    fn heads_are_found_until_they_are_taken_out_and_empty_blocks_go() {
        let dir = TempDir::new().unwrap();
        let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
        let serials = |range: std::ops::Range<u8>| range.map(|at| (at, Serial::new(at.into())));
        let write = |heads: Vec<(Serial, Option<Head>)>| {
            lmdb.write(|wtxn| super::write(&lmdb.tables, wtxn, &heads)).unwrap();
        };
        write(serials(1..100).map(|(at, serial)| (serial, Some(head(at)))).collect());
        write(serials(100..240).map(|(at, serial)| (serial, Some(head(at)))).collect());
        write(serials(50..170).map(|(_, serial)| (serial, None)).collect());
        lmdb.read(|txn| {
            let mut heads = Heads::new(&lmdb.tables, txn);
            for (at, serial) in serials(0..255) {
                let is_there = (1..50).contains(&at) || (170..240).contains(&at);
                assert_eq!(heads.get(serial)?, is_there.then(|| head(at)), "{at}");
            }
            assert_eq!(count(&lmdb.tables, txn)?, 49 + 70);
            // Of the blocks 0 to 4, those of 56 to 167 hold nothing.
            assert_eq!(lmdb.tables.heads.len(txn)?, 3);
            Ok(())
        })
        .unwrap();
    }
}
