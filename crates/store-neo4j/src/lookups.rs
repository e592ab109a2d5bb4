//! Events by serial, and what a save would come to.

use std::collections::HashMap;
use std::ops::ControlFlow;

use async_trait::async_trait;
use event::{Address, Event, EventId};
use store::{EventBatch, Preview, Serial, SerialStore, StoreError};

use crate::bolt::{Statement, Value};
use crate::decide::Batch;
use crate::events::Events;
use crate::keys::address_key;
use crate::known::Known;
use crate::save::serial;
use crate::store::Neo4jStore;
use crate::writer::Job;

const FETCH: usize = 100;
const BY_IDS: &str = "UNWIND $ids AS id MATCH (e:Event {id: id}) RETURN DISTINCT e.serial, e.id";
const BY_SERIALS: &str =
    "UNWIND $serials AS serial MATCH (e:Event {serial: serial}) RETURN e.serial, e.packed";
const IN_USE: &str = "MATCH (e:Event) WHERE e.serial >= $first AND e.serial <= $last \
    RETURN e.serial ORDER BY e.serial LIMIT $most";

impl Neo4jStore {
    /// The serials of ids.
    pub(crate) async fn serials_by_id(
        &self,
        ids: &[EventId],
    ) -> Result<HashMap<EventId, Serial>, StoreError> {
        self.shared.graph().await?;
        let statement = Statement::new(BY_IDS).with("ids", ids.iter().collect::<Value>());
        let rows = self.shared.client.rows(&statement).await?;
        let pair = |row: &Vec<Value>| {
            let id = EventId::from_hex(row.get(1)?.as_text()?.as_bytes()).ok()?;
            Some((id, serial(row)?))
        };
        Ok(rows.iter().filter_map(pair).collect())
    }
}

#[async_trait]
impl SerialStore for Neo4jStore {
    async fn serials_of(&self, ids: &[EventId]) -> Result<Vec<Option<Serial>>, StoreError> {
        let found = self.serials_by_id(ids).await?;
        Ok(ids.iter().map(|id| found.get(id).copied()).collect())
    }

    async fn fetch(&self, serials: &[Serial]) -> Result<EventBatch, StoreError> {
        self.shared.graph().await?;
        let mut all = EventBatch::default();
        let mut rest = serials;
        while !rest.is_empty() {
            let numbers = rest.iter().map(|serial| serial.as_u64()).collect::<Value>();
            let statement = Statement::new(BY_SERIALS).with("serials", numbers);
            let mut events = Events::default();
            let take = |row| events.take(row).map_or(ControlFlow::Break(()), ControlFlow::Continue);
            self.shared.client.read(&statement, FETCH, take).await?;
            let is_full = events.is_full();
            let batch = events.into_batch()?;
            batch.iter().for_each(|(serial, event)| all.push(serial, event));
            // Rows come in the order asked: what is behind the last one is still to come.
            let last = batch.iter().last().filter(|_| is_full).map(|(serial, _)| serial);
            let seen = last.and_then(|last| rest.iter().position(|serial| *serial == last));
            rest = seen.and_then(|seen| rest.get(seen + 1..)).unwrap_or_default();
        }
        Ok(all)
    }

    async fn serials(
        &self,
        first: Serial,
        last: Serial,
        most: usize,
    ) -> Result<Vec<Serial>, StoreError> {
        self.shared.graph().await?;
        let statement = Statement::new(IN_USE)
            .with("first", first.as_u64())
            .with("last", last.as_u64())
            .with("most", u64::try_from(most).unwrap_or(u64::MAX));
        Ok(self.shared.client.rows(&statement).await?.iter().filter_map(serial).collect())
    }

    async fn preview(&self, event: &Event) -> Result<Preview, StoreError> {
        self.shared.graph().await?;
        let answers = self.shared.client.read_all(&Known::ask(&[event])).await?;
        let known = Known::read(&answers)?;
        let relay_urls = &self.shared.relay_urls;
        let batch = Batch::new(known, &[event], relay_urls, Serial::default());
        if let Some(refusal) = batch.refusal(event.as_ref()) {
            return Ok(Preview::Refused(refusal));
        }
        let address = Address::of(event.as_ref()).map(|address| address_key(&address));
        let old = address.and_then(|address| batch.at_address(&address).map(|old| old.serial));
        Ok(old.map_or(Preview::Stored, Preview::Replaces))
    }

    async fn remove_expired(&self) -> Result<(), StoreError> {
        self.queue.submit(|reply| Job::Sweep { reply }).await
    }
}
