//! Named byte strings, each a node.

use async_trait::async_trait;
use store::{HIDDEN_AUTHORS_MARKER, Markers, StoreError};

use crate::bolt::{Record, Statement, Value};
use crate::store::Neo4jStore;

/// How long the key of a marker may be, as at the other engine.
const KEY: std::ops::RangeInclusive<usize> = 1..=500;
const GET: &str = "MATCH (m:Marker {key: $key}) RETURN m.value";
const SET: &str = "MERGE (m:Marker {key: $key}) SET m.value = $value";
const REMOVE: &str = "MATCH (m:Marker {key: $key}) DELETE m";
const CLAIM: &str = "MERGE (m:Marker {key: $key}) ON CREATE SET m.value = $value RETURN m.value";
const LIST: &str = "MATCH (m:Marker) WHERE m.key STARTS WITH $prefix RETURN m.key, m.value";
/// Tells other processes to read the hidden authors again.
const HIDE: &str = "MATCH (s:EventStore {name: 'orly'}) SET s.hidden = coalesce(s.hidden, 0) + 1";

#[async_trait]
impl Markers for Neo4jStore {
    async fn marker(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        if !KEY.contains(&key.len()) {
            return Ok(None);
        }
        self.shared.graph().await?;
        let rows = self.shared.client.rows(&Statement::new(GET).with("key", key)).await?;
        Ok(rows.into_iter().next().and_then(value))
    }

    async fn set_marker(&self, key: &str, value: Option<Vec<u8>>) -> Result<(), StoreError> {
        checked(key)?;
        self.shared.graph().await?;
        let setting = match value {
            Some(value) => Statement::new(SET).with("value", Value::Bytes(value)),
            None => Statement::new(REMOVE),
        };
        let mut statements = vec![setting.with("key", key)];
        if key == HIDDEN_AUTHORS_MARKER {
            statements.push(Statement::new(HIDE));
        }
        self.shared.client.write(statements).await?;
        if key == HIDDEN_AUTHORS_MARKER {
            self.shared.read_hidden().await?;
        }
        Ok(())
    }

    async fn claim_marker(&self, key: &str, value: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        checked(key)?;
        self.shared.graph().await?;
        let claim = Statement::new(CLAIM).with("key", key).with("value", Value::Bytes(value));
        let rows = self.shared.client.write(vec![claim]).await?;
        let found = rows.into_iter().flatten().next().and_then(self::value);
        found.ok_or_else(|| StoreError::internal("a marker has no value"))
    }

    async fn markers(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.shared.graph().await?;
        let rows = self.shared.client.rows(&Statement::new(LIST).with("prefix", prefix)).await?;
        let pair = |row: Record| match <[Value; 2]>::try_from(row) {
            Ok([Value::Text(key), Value::Bytes(value)]) => Some((key, value)),
            _ => None,
        };
        let mut found: Vec<_> = rows.into_iter().filter_map(pair).collect();
        // Neo4j and we may not agree on the order of letters beyond ASCII.
        found.sort_unstable();
        Ok(found)
    }
}

fn value(row: Record) -> Option<Vec<u8>> {
    match row.into_iter().next() {
        Some(Value::Bytes(value)) => Some(value),
        _ => None,
    }
}

fn checked(key: &str) -> Result<(), StoreError> {
    if KEY.contains(&key.len()) {
        return Ok(());
    }
    let (len, least, most) = (key.len(), KEY.start(), KEY.end());
    Err(StoreError::Invalid(format!("marker key has {len} bytes, {least} to {most} are allowed")))
}
