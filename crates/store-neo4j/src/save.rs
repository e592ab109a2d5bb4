//! Transactions that change which events are stored. Each takes the lock first, so that serials rise in the order of
//! commits, and nobody decides by what another is changing.

use std::collections::BTreeSet;

use event::{Address, Event, EventId, Timestamp};
use store::{SaveOutcome, Serial, Tombstone};

use crate::Neo4jError;
use crate::bolt::{Connection, Record, Statement, Value};
use crate::client::{Attempt, Ending, Work, WorkError};
use crate::decide::Batch;
use crate::graph::LOCK;
use crate::keys::{TagHasher, address_key, tombstone};
use crate::known::Known;
use crate::write;

const SERIALS: &str = "UNWIND $ids AS id MATCH (e:Event {id: id}) RETURN DISTINCT e.serial";
const AT_ADDRESSES: &str = "UNWIND $addresses AS address MATCH (e:Event {address: address}) \
    WHERE e.created_at <= $until RETURN DISTINCT e.serial";
const EXPIRED: &str = "MATCH (e:Event) WHERE e.expiration <= $now RETURN e.serial LIMIT $most";
const KEEP: &str = "UNWIND $keys AS key MERGE (t:Tombstone {key: key}) \
    SET t.until = CASE WHEN t.until > $until THEN t.until ELSE $until END";
const FORGET: &str = "UNWIND $keys AS key MATCH (t:Tombstone {key: key}) DELETE t";

/// Saves a batch.
pub(crate) struct Save<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) relay_urls: &'a [String],
    pub(crate) hasher: &'a TagHasher,
    /// The first serial that the first try gave.
    pub(crate) first: Option<Serial>,
}

/// What became of a batch, and the newest serial then.
pub(crate) struct Saved {
    pub(crate) outcomes: Vec<SaveOutcome>,
    pub(crate) last_serial: Serial,
}

/// Removes events on the operator's behalf; counts them.
pub(crate) struct Delete {
    /// Finds their serials.
    standing: Statement,
    /// Sets tombstones, or takes them away.
    tombstones: Statement,
    /// How many an earlier try found.
    found: u64,
}

/// Removes some of what expired; says whether there may be more.
pub(crate) struct Sweep {
    pub(crate) most: u64,
}

impl Work for Save<'_> {
    type Output = Saved;

    async fn attempt(
        &mut self,
        connection: &mut Connection,
        attempt: Attempt,
    ) -> Result<Ending<Saved>, WorkError> {
        let events: Vec<&Event> = self.events.iter().collect();
        let mut statements = vec![Statement::new(LOCK)];
        statements.extend(Known::ask(&events));
        let answers = connection.run(&statements).await?;
        let last = locked(&answers)?;
        let first = *self.first.get_or_insert(Serial::new(last.as_u64() + 1));
        let known = Known::read(&answers[1..])?;
        let mut batch = Batch::new(known, &events, self.relay_urls, last)
            .again_from((attempt == Attempt::Uncertain).then_some(first));
        let outcomes: Vec<SaveOutcome> = events.iter().map(|event| batch.save(event)).collect();
        let decided = batch.finish();
        let statements = write::statements(&decided, self.hasher);
        let saved = Saved { outcomes, last_serial: decided.last_serial.max(last) };
        if statements.is_empty() {
            return Ok(Ending::Nothing(saved));
        }
        connection.run(&statements).await?;
        Ok(Ending::Commit(saved))
    }
}

impl Delete {
    /// The events with these ids.
    pub(crate) fn ids(ids: &[EventId], tombstone: Tombstone) -> Self {
        let standing = Statement::new(SERIALS).with("ids", ids.iter().collect::<Value>());
        let keys: Value = ids.iter().map(tombstone::id).collect();
        let tombstones = match tombstone {
            Tombstone::Keep => keep(keys, Timestamp::MAX),
            Tombstone::Forget => Statement::new(FORGET).with("keys", keys),
        };
        Self { standing, tombstones, found: 0 }
    }

    /// What stands at these addresses up to a time.
    pub(crate) fn addresses(addresses: &[Address], until: Timestamp) -> Self {
        let until = until.min(Timestamp::MAX);
        let addresses: Vec<String> = addresses.iter().map(address_key).collect();
        let keys: Value = addresses.iter().map(|key| tombstone::address(key)).collect();
        let standing = Statement::new(AT_ADDRESSES)
            .with("addresses", addresses.into_iter().collect::<Value>())
            .with("until", until.as_secs());
        Self { standing, tombstones: keep(keys, until), found: 0 }
    }
}

fn keep(keys: Value, until: Timestamp) -> Statement {
    Statement::new(KEEP).with("keys", keys).with("until", until.as_secs())
}

impl Work for Delete {
    type Output = u64;

    async fn attempt(
        &mut self,
        connection: &mut Connection,
        _: Attempt,
    ) -> Result<Ending<u64>, WorkError> {
        let answers = connection.run(&[Statement::new(LOCK), self.standing.clone()]).await?;
        locked(&answers)?;
        let serials: BTreeSet<Serial> = answers[1].iter().filter_map(serial).collect();
        let mut statements = vec![self.tombstones.clone()];
        if !serials.is_empty() {
            statements.push(write::removal(&serials));
        }
        connection.run(&statements).await?;
        self.found = self.found.max(serials.len() as u64);
        Ok(Ending::Commit(self.found))
    }
}

impl Work for Sweep {
    type Output = bool;

    async fn attempt(
        &mut self,
        connection: &mut Connection,
        _: Attempt,
    ) -> Result<Ending<bool>, WorkError> {
        let expired =
            Statement::new(EXPIRED).with("now", Timestamp::now().as_secs()).with("most", self.most);
        let answers = connection.run(&[Statement::new(LOCK), expired]).await?;
        locked(&answers)?;
        let serials: BTreeSet<Serial> = answers[1].iter().filter_map(serial).collect();
        if serials.is_empty() {
            return Ok(Ending::Nothing(false));
        }
        connection.run(&[write::removal(&serials)]).await?;
        Ok(Ending::Commit(serials.len() as u64 == self.most))
    }
}

/// The newest serial, which the lock is answered with.
fn locked(answers: &[Vec<Record>]) -> Result<Serial, Neo4jError> {
    let row = answers.first().and_then(|rows| rows.first());
    row.and_then(serial).ok_or(Neo4jError::Damaged("the node EventStore"))
}

/// The serial in the first column.
pub(crate) fn serial(row: &Record) -> Option<Serial> {
    let number = row.first()?.as_int()?;
    u64::try_from(number).ok().map(Serial::new)
}
