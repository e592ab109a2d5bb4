use event::{Draft, Event, Filter, Keys, Kind, Pubkey, Timestamp};
use heed::CommitOrAbort;
use heed::types::Bytes;
use store::{EventStore, Query, Serial};
use tempfile::TempDir;

use super::{DISUSED, HASH_KEY_KEY, INDEXED_KEY, SCHEMA, SCHEMA_KEY};
use crate::entries::Entries;
use crate::env::Lmdb;
use crate::keys::serial_bytes;
use crate::{Access, LmdbError, LmdbStore, Options};

/// A database whose schema reads `version`.
fn with_schema(version: &[u8]) -> TempDir {
    let dir = TempDir::new().unwrap();
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    lmdb.write(|wtxn| Ok(lmdb.tables.meta.put(wtxn, SCHEMA_KEY, version)?)).unwrap();
    dir
}

#[test]
fn a_newer_schema_is_refused_with_what_to_do() {
    let dir = with_schema(&(SCHEMA + 1).to_be_bytes());
    let before = std::fs::read(dir.path().join("data.mdb")).unwrap();
    for access in [Access::Create, Access::Write, Access::Read] {
        let error = Lmdb::open(Options { access, ..Options::new(dir.path()) }).err().unwrap();
        assert_eq!(
            error.to_string(),
            "event store has schema 3, this version knows up to 2: run the newer version again, \
             or export with it (`orly export`) and import into an empty directory with this one"
        );
    }
    let after = std::fs::read(dir.path().join("data.mdb")).unwrap();
    assert!(before == after, "the database was written to");
}

#[tokio::test]
async fn a_newer_version_that_comes_meanwhile_ends_reading_and_writing() {
    let dir = TempDir::new().unwrap();
    let store = LmdbStore::open(Options::new(dir.path()), vec![]).unwrap();
    store.save(events()).await.unwrap();
    let newer = (SCHEMA + 1).to_be_bytes();
    let lmdb = &store.lmdb;
    lmdb.write(|wtxn| Ok(lmdb.tables.meta.put(wtxn, SCHEMA_KEY, &newer)?)).unwrap();
    let text = "store is not reachable: event store has schema 3, this version knows up to 2: run the newer version";
    let errors = [
        store.save(events()).await.err(),
        store.query(Query::by_operator(Filter::default())).next().await.err(),
        store.count(&Query::by_operator(Filter::default())).await.err(),
    ];
    for error in errors {
        let error = error.expect("its tables are not known").to_string();
        assert!(error.starts_with(text), "{error}");
    }
    assert!(matches!(store.broken().await, LmdbError::NewerSchema { .. }));
}

#[test]
fn a_damaged_schema_is_refused() {
    let dir = with_schema(b"one");
    let error = Lmdb::open(Options::new(dir.path())).err().unwrap();
    assert!(matches!(error, LmdbError::Damaged("schema version")), "{error:?}");
}

/// Follow lists, notes and private messages of three authors.
fn events() -> Vec<Event> {
    let event = |number: u8| {
        let author = Keys::from_secret([number % 3 + 1; 32]).unwrap();
        author.sign(&Draft {
            created_at: Timestamp::from_secs(1_700_000_000 + u64::from(number)),
            kind: Kind::new([1, 4, 30_023][usize::from(number % 4).min(2)]),
            tags: vec![
                vec!["d".into(), number.to_string()],
                vec!["t".into(), format!("topic{}", number % 2)],
            ],
            content: String::new(),
        })
    };
    (0..30).map(event).collect()
}

/// A database as schema 1 has it: no heads, other keys of authors and tags, one table more.
async fn of_schema_1() -> TempDir {
    let dir = TempDir::new().unwrap();
    LmdbStore::open(Options::new(dir.path()), vec![]).unwrap().save(events()).await.unwrap();
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    let disused = lmdb.still(|env| {
        let made = env.create_databases_and_commit(env.write_txn()?, |opener, wtxn| {
            let table = opener.create_database::<Bytes, Bytes>(wtxn, Some(DISUSED))?;
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(table))
        });
        Ok(made?.unwrap_commit())
    });
    let (tables, disused) = (lmdb.tables, disused.unwrap());
    lmdb.write(|wtxn| {
        tables.heads.clear(wtxn)?;
        for (table, len) in [(tables.by_author_kind, 24), (tables.by_tag, 23), (disused, 22)] {
            table.clear(wtxn)?;
            table.put(wtxn, &vec![7; len], &[])?;
        }
        tables.meta.delete(wtxn, HASH_KEY_KEY)?;
        Ok(tables.meta.put(wtxn, SCHEMA_KEY, &1u32.to_be_bytes())?)
    })
    .unwrap();
    dir
}

/// All that is there, found by way of each index that schema 2 changed.
async fn assert_complete(store: &LmdbStore) {
    let report = store.check().unwrap();
    assert_eq!((report.events, &report.examples[..]), (30, &[][..]));
    let authors: Vec<Pubkey> = events().iter().map(|event| event.as_ref().pubkey()).collect();
    for author in authors {
        let filter = Filter { authors: Some(vec![author]), ..Filter::default() };
        assert_eq!(store.count(&Query::by_operator(filter)).await.unwrap(), 10);
    }
    let mut filter = Filter::default();
    filter.tags.insert(b't', vec!["topic1".into()]);
    assert_eq!(store.count(&Query::by_operator(filter)).await.unwrap(), 15);
}

#[tokio::test]
async fn an_older_database_is_brought_up_to_date() {
    let dir = of_schema_1().await;
    for _ in 0..2 {
        let store = LmdbStore::open(Options::new(dir.path()), vec![]).unwrap();
        assert_complete(&store).await;
        assert_eq!(store.describe().unwrap().schema, SCHEMA);
    }
    let error = LmdbStore::open_beside(Options::new(dir.path()), b"another").err().unwrap();
    assert!(matches!(error, LmdbError::Another(_)), "{error}");
}

#[tokio::test]
async fn bringing_it_up_to_date_goes_on_where_it_ended() {
    let dir = of_schema_1().await;
    drop(Lmdb::open(Options::new(dir.path())).unwrap());
    // As if the process had ended after the 20th event.
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    let tables = lmdb.tables;
    lmdb.write(|wtxn| {
        for table in [tables.heads, tables.by_author_kind, tables.by_tag] {
            table.clear(wtxn)?;
        }
        let mut entries = Entries::new(tables.hash_key);
        for (number, event) in (1..).zip(events()).take(20) {
            entries.add(event.as_ref(), Serial::new(number));
        }
        entries.put_since_1(&tables, wtxn)?;
        Ok(tables.meta.put(wtxn, INDEXED_KEY, &serial_bytes(Serial::new(20)))?)
    })
    .unwrap();
    drop(lmdb);
    assert_complete(&LmdbStore::open(Options::new(dir.path()), vec![]).unwrap()).await;
}

#[tokio::test]
async fn who_only_reads_is_told_to_wait() {
    let dir = of_schema_1().await;
    let read = || Lmdb::open(Options { access: Access::Read, ..Options::new(dir.path()) });
    let told = |error: LmdbError| {
        let error = error.to_string();
        assert!(error.contains("is of an older version: the process that writes"), "{error}");
    };
    told(read().err().unwrap());
    let lmdb = Lmdb::open(Options::new(dir.path())).unwrap();
    let mark = serial_bytes(Serial::new(3));
    lmdb.write(|wtxn| Ok(lmdb.tables.meta.put(wtxn, INDEXED_KEY, &mark)?)).unwrap();
    drop(lmdb);
    told(read().err().unwrap());
    drop(Lmdb::open(Options::new(dir.path())).unwrap());
    read().unwrap();
}
