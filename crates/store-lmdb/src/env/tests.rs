use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;

use super::{Lmdb, Options};
use crate::LmdbError;
use crate::options::MIB;

#[test]
fn a_path_that_is_open_is_refused() {
    let dir = TempDir::new().unwrap();
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    let error = Lmdb::open(Options::new(dir.path())).err().unwrap();
    assert!(error.to_string().starts_with("open event store in "), "{error}");
    drop(lmdb);
    Lmdb::open(Options::new(dir.path())).unwrap();
}

#[test]
fn a_map_grows_with_what_it_holds() {
    let dir = TempDir::new().unwrap();
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    lmdb.resize(MIB).unwrap();
    let value = [7; 100_000];
    for number in 0..16u8 {
        lmdb.write(|wtxn| {
            for part in 0..10 {
                lmdb.tables.markers.put(wtxn, &[number, part], &value)?;
            }
            Ok(())
        })
        .unwrap();
    }
    assert_eq!(lmdb.read(|txn| Ok(lmdb.tables.markers.len(txn)?)).unwrap(), 160);
    assert!(lmdb.describe().unwrap().map_bytes > 8 << 20);
}

#[test]
fn a_map_moves_while_others_look_into_it() {
    let dir = TempDir::new().unwrap();
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                assert!(lmdb.last_txn() > 0);
            }
        });
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                assert_eq!(lmdb.read(|txn| Ok(lmdb.tables.meta.len(txn)?)).unwrap(), 3);
            }
        });
        for turn in 0..2000 {
            lmdb.resize(MIB + turn % 2 * MIB).unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn a_map_does_not_grow_beyond_its_limit() {
    let dir = TempDir::new().unwrap();
    let lmdb = Lmdb::open(Options { max_map_mib: 3, ..Options::new(dir.path()) }).unwrap();
    lmdb.resize(MIB).unwrap();
    let put =
        |len: usize| lmdb.write(|wtxn| Ok(lmdb.tables.markers.put(wtxn, b"key", &vec![7; len])?));
    put(MIB).unwrap();
    let error = put(3 * MIB).unwrap_err();
    assert!(matches!(error, LmdbError::Full { limit } if limit == 3 * MIB), "{error:?}");
    let len = lmdb.read(|txn| Ok(lmdb.tables.markers.get(txn, b"key")?.map(<[u8]>::len)));
    assert_eq!(len.unwrap(), Some(MIB));
}
