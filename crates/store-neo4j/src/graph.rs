//! The graph: what its nodes and relations are, and that the database is ready to hold them.
//!
//! ```text
//! (:Event {id, pubkey, kind, created_at, expiration, content, serial, rank, address, packed})
//!     -[:AUTHORED_BY]->(:NostrUser {pubkey})
//!     -[:MENTIONS {tag, rank}]->(:NostrUser {pubkey})            p tags
//!     -[:TAGGED_WITH {tag, rank}]->(:Tag {key, name, value})     other tags of one letter
//!     -[:REFERENCES]->(:Event)                                   e tags whose event is stored
//! (:Marker {key, value})   (:Tombstone {key, until})   (:EventStore {schema, secret, serial, hidden})
//! ```
//! `packed` is the event itself; all else is there to find it by, and for an operator to ask about. `serial`, `rank`,
//! `address` and `tag` are ours (`keys`). Who writes holds the node `EventStore`, whatever process it is.

use crate::Neo4jError;
use crate::bolt::{Statement, Value};
use crate::client::Client;
use crate::keys::TagHasher;

/// The schema of this version.
const SCHEMA: i64 = 1;

/// What makes look-ups fast, and two of the same impossible. Each is made if it is not there.
const SCHEMA_COMMANDS: [&str; 15] = [
    "CREATE CONSTRAINT orly_store IF NOT EXISTS FOR (n:EventStore) REQUIRE n.name IS UNIQUE",
    "CREATE CONSTRAINT orly_event_id IF NOT EXISTS FOR (n:Event) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT orly_event_serial IF NOT EXISTS FOR (n:Event) REQUIRE n.serial IS UNIQUE",
    "CREATE CONSTRAINT orly_event_address IF NOT EXISTS FOR (n:Event) REQUIRE n.address IS UNIQUE",
    "CREATE CONSTRAINT orly_user IF NOT EXISTS FOR (n:NostrUser) REQUIRE n.pubkey IS UNIQUE",
    "CREATE CONSTRAINT orly_tag IF NOT EXISTS FOR (n:Tag) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT orly_marker IF NOT EXISTS FOR (n:Marker) REQUIRE n.key IS UNIQUE",
    "CREATE CONSTRAINT orly_tombstone IF NOT EXISTS FOR (n:Tombstone) REQUIRE n.key IS UNIQUE",
    "CREATE INDEX orly_event_rank IF NOT EXISTS FOR (n:Event) ON (n.rank)",
    "CREATE INDEX orly_event_kind IF NOT EXISTS FOR (n:Event) ON (n.kind, n.rank)",
    "CREATE INDEX orly_event_author_kind IF NOT EXISTS FOR (n:Event) ON (n.pubkey, n.kind, n.rank)",
    "CREATE INDEX orly_event_author IF NOT EXISTS FOR (n:Event) ON (n.pubkey, n.rank)",
    "CREATE INDEX orly_event_expiration IF NOT EXISTS FOR (n:Event) ON (n.expiration)",
    "CREATE INDEX orly_tagged IF NOT EXISTS FOR ()-[r:TAGGED_WITH]-() ON (r.tag, r.rank)",
    "CREATE INDEX orly_mentions IF NOT EXISTS FOR ()-[r:MENTIONS]-() ON (r.tag, r.rank)",
];
const AWAIT_INDEXES: &str = "CALL db.awaitIndexes(50)";
const FOREIGN: &str =
    "MATCH (e:Event) WHERE NOT EXISTS { MATCH (:EventStore) } RETURN 1 AS found LIMIT 1";
const STORE: &str = "MERGE (s:EventStore {name: 'orly'}) \
    ON CREATE SET s.schema = $schema, s.serial = 0, s.hidden = 0, s.secret = randomUUID() + randomUUID() \
    RETURN s.schema AS schema, s.secret AS secret";

/// Takes the lock of all who write, and says what the newest serial is.
pub(crate) const LOCK: &str = "MATCH (s:EventStore {name: 'orly'}) SET s.writes = coalesce(s.writes, 0) + 1 \
    RETURN s.serial AS serial";

/// A graph that is ready.
pub(crate) struct Graph {
    pub(crate) hasher: TagHasher,
}

/// Makes the database ready, if it is not.
pub(crate) async fn prepare(client: &Client) -> Result<Graph, Neo4jError> {
    if !client.rows(&Statement::new(FOREIGN)).await?.is_empty() {
        return Err(Neo4jError::Foreign(client.address()));
    }
    let mut commands = SCHEMA_COMMANDS.map(Statement::new).to_vec();
    commands.push(Statement::new(AWAIT_INDEXES));
    for command in commands {
        let made = client.write(vec![command]).await;
        // Another process makes it at the same moment.
        if !matches!(&made, Err(Neo4jError::Refused { code, .. }) if code.ends_with("AlreadyExists"))
        {
            made?;
        }
    }
    let store = Statement::new(STORE).with("schema", SCHEMA);
    let answers = client.write(vec![store]).await?;
    let row = answers.first().and_then(|rows| rows.first()).map(Vec::as_slice);
    let Some([Value::Int(found), Value::Text(secret)]) = row else {
        return Err(Neo4jError::Damaged("the node EventStore"));
    };
    if *found > SCHEMA {
        return Err(Neo4jError::NewerSchema { found: *found, known: SCHEMA });
    }
    Ok(Graph { hasher: TagHasher::new(secret.clone()) })
}

#[cfg(test)]
mod tests;
