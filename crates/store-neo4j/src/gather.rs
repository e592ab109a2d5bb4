//! Everything a filter matches, without limit and in no promised order: for counting and reconciling.

use std::collections::HashSet;
use std::ops::ControlFlow;

use event::{EventId, Filter, Timestamp};
use reconcile::Item;
use store::{EventStore, Query, Serial, StoreError};

use crate::Neo4jError;
use crate::bolt::Value;
use crate::cypher::{Asker, Search, finds_nothing};
use crate::rows::narrowest;
use crate::save::serial;
use crate::store::Neo4jStore;

impl Neo4jStore {
    /// Counts what may be seen of what the filters match.
    pub(crate) async fn count_matches(&self, query: &Query) -> Result<u64, StoreError> {
        let filters: Vec<&Filter> =
            query.filters.iter().filter(|filter| !finds_nothing(filter)).collect();
        if filters.iter().any(|filter| filter.search.is_some()) {
            // Neo4j's small letters are not quite ours.
            return self.count_by_reading(query).await;
        }
        let one = match filters[..] {
            [] => return Ok(0),
            [one] => one,
            _ => return self.count_once(&filters, query).await,
        };
        let statement = self.search(one, query).await?.all("RETURN count(e)");
        let rows = self.shared.client.rows(&statement).await?;
        let count = rows.first().and_then(serial).ok_or(Neo4jError::Damaged("a count"))?;
        Ok(count.as_u64())
    }

    /// Counts what several filters find once.
    async fn count_once(&self, filters: &[&Filter], query: &Query) -> Result<u64, StoreError> {
        let mut found: HashSet<Serial> = HashSet::new();
        for filter in filters {
            let statement = self.search(filter, query).await?.all("RETURN e.serial");
            let take = |row| {
                found.extend(serial(&row));
                ControlFlow::Continue(())
            };
            self.shared
                .client
                .read(&statement, self.shared.client.options.fetch_size, take)
                .await?;
        }
        Ok(found.len() as u64)
    }

    async fn count_by_reading(&self, query: &Query) -> Result<u64, StoreError> {
        let unlimited = |filter: &Filter| Filter { limit: None, ..filter.clone() };
        let filters = query.filters.iter().map(unlimited).collect();
        let mut rows = self.query(Query { filters, viewer: query.viewer.clone() });
        let mut count = 0;
        while let Some(batch) = rows.next().await? {
            count += batch.len() as u64;
        }
        Ok(count)
    }

    /// The items of what may be seen of what a filter matches; `None` if there are more than `most`.
    pub(crate) async fn items(
        &self,
        filter: &Filter,
        query: &Query,
        most: u64,
    ) -> Result<Option<Vec<Item>>, StoreError> {
        if finds_nothing(filter) {
            return Ok(Some(Vec::new()));
        }
        let mut items = Vec::new();
        let statement = self.search(filter, query).await?;
        let statement = statement.all("RETURN e.created_at, e.id LIMIT $records");
        let statement = statement.with("records", most.saturating_add(1));
        let mut is_damaged = false;
        let take = |row: Vec<Value>| {
            match item(&row) {
                Some(item) => items.push(item),
                None => is_damaged = true,
            }
            ControlFlow::Continue(())
        };
        self.shared.client.read(&statement, self.shared.client.options.fetch_size, take).await?;
        if is_damaged {
            return Err(Neo4jError::Damaged("a stored event").into());
        }
        Ok((items.len() as u64 <= most).then_some(items))
    }

    async fn search(&self, filter: &Filter, query: &Query) -> Result<Search, StoreError> {
        let graph = self.shared.graph().await?;
        let hidden = self.shared.hidden_from(&query.viewer).await?;
        let way = narrowest(&self.shared, filter).await?;
        let asker = Asker {
            viewer: &query.viewer,
            hidden: &hidden,
            hasher: &graph.hasher,
            now: Timestamp::now(),
        };
        Ok(Search::new(filter, way, asker))
    }
}

fn item(row: &[Value]) -> Option<Item> {
    let [Value::Int(created_at), Value::Text(id)] = row else { return None };
    let created_at = Timestamp::from_secs(u64::try_from(*created_at).ok()?);
    Some(Item { created_at, id: EventId::from_hex(id.as_bytes()).ok()? })
}
