//! What is decided, as Cypher.

use std::collections::{BTreeMap, BTreeSet};

use event::{Address, Event, EventId, Kind};
use store::Serial;

use crate::bolt::{Statement, Value};
use crate::cypher::readable;
use crate::decide::{Changes, Decided};
use crate::keys::{TagHasher, address_key, mentioned, rank, tag_key};

/// How many events, and how many bytes of them, one statement adds at most.
const ROWS: usize = 500;
const ROW_BYTES: usize = 4 << 20;

/// Events go with their relations, and tags with their last event.
const REMOVE: &str = "OPTIONAL MATCH (e)-[:TAGGED_WITH]->(t:Tag) \
    WITH collect(DISTINCT e) AS events, collect(DISTINCT t) AS tags \
    FOREACH (e IN events | DETACH DELETE e) \
    WITH tags UNWIND tags AS t WITH t WHERE NOT EXISTS { (t)<-[:TAGGED_WITH]-() } DELETE t";
const TOMBSTONES: &str =
    "UNWIND $tombstones AS row MERGE (t:Tombstone {key: row.key}) SET t.until = row.until";
const USERS: &str = "UNWIND $users AS pubkey MERGE (:NostrUser {pubkey: pubkey})";
const TAGS: &str = "UNWIND $tags AS tag MERGE (t:Tag {key: tag.key}) \
    ON CREATE SET t.name = tag.name, t.value = tag.value";
const EVENTS: &str = "UNWIND $rows AS row MATCH (u:NostrUser {pubkey: row.properties.pubkey}) \
    CREATE (e:Event)-[:AUTHORED_BY]->(u) SET e = row.properties \
    WITH e, row \
    CALL (e, row) { UNWIND row.tags AS tag MATCH (t:Tag {key: tag.key}) \
        CREATE (e)-[:TAGGED_WITH {tag: tag.hash, rank: row.properties.rank}]->(t) } \
    CALL (e, row) { UNWIND row.mentions AS mention MATCH (u:NostrUser {pubkey: mention.pubkey}) \
        CREATE (e)-[:MENTIONS {tag: mention.hash, rank: row.properties.rank}]->(u) }";
const REFERENCES: &str = "UNWIND $references AS row MATCH (to:Event {id: row.id}) \
    MATCH (e:Event {serial: row.serial}) MERGE (e)-[:REFERENCES]->(to)";
/// Some that refer to an event came before it.
const REFERRED: &str = "UNWIND $rows AS row MATCH (:Tag {key: row.key})<-[:TAGGED_WITH]-(from:Event) \
    MATCH (e:Event {serial: row.serial}) MERGE (from)-[:REFERENCES]->(e)";
const SERIAL: &str = "MATCH (s:EventStore {name: 'orly'}) SET s.serial = $serial";

/// Statements that write what a batch comes to.
pub(crate) fn statements(decided: &Decided<'_>, hasher: &TagHasher) -> Vec<Statement> {
    let mut statements = changes(&decided.changes, hasher);
    let mut rest = &decided.added[..];
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |(_, event): &&(Serial, &Event)| {
            bytes += event.as_ref().as_bytes().len();
            bytes <= ROW_BYTES
        };
        let len = rest.iter().take(ROWS).take_while(fits).count().max(1);
        let (rows, behind) = rest.split_at(len);
        statements.extend(additions(rows, hasher));
        rest = behind;
    }
    if !decided.added.is_empty() {
        statements.push(Statement::new(SERIAL).with("serial", decided.last_serial.as_u64()));
    }
    statements
}

/// Removes events with these serials.
pub(crate) fn removal(serials: &BTreeSet<Serial>) -> Statement {
    let text = format!("UNWIND $serials AS serial MATCH (e:Event {{serial: serial}}) {REMOVE}");
    Statement::new(text)
        .with("serials", serials.iter().map(|serial| serial.as_u64()).collect::<Value>())
}

fn changes(changes: &Changes, hasher: &TagHasher) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !changes.removed.is_empty() {
        statements.push(removal(&changes.removed));
    }
    for (author, until) in &changes.vanished {
        let own = format!(
            "MATCH (e:Event) WHERE e.pubkey = $author AND e.kind <> $vanish AND e.created_at <= $until {REMOVE}"
        );
        let wraps = format!(
            "MATCH (e:Event)-[r:MENTIONS]->() WHERE r.tag = $tag AND e.kind = $wrap AND e.created_at <= $until {REMOVE}"
        );
        let tag = hasher.hash(b'p', &author.to_string());
        statements.extend([own, wraps].map(|text| {
            Statement::new(text)
                .with("author", author)
                .with("tag", tag)
                .with("vanish", u64::from(Kind::VANISH.as_u16()))
                .with("wrap", u64::from(Kind::GIFT_WRAP.as_u16()))
                .with("until", until.as_secs())
        }));
    }
    if !changes.tombstones.is_empty() {
        let rows = changes.tombstones.iter().map(|(key, until)| {
            Value::map([("key", key.clone().into()), ("until", until.as_secs().into())])
        });
        statements.push(Statement::new(TOMBSTONES).with("tombstones", rows.collect::<Value>()));
    }
    statements
}

/// Adds events, and what they are related to.
fn additions(events: &[(Serial, &Event)], hasher: &TagHasher) -> Vec<Statement> {
    let mut users = BTreeSet::new();
    let mut tags = BTreeMap::new();
    let (mut rows, mut references, mut referred) = (Vec::new(), Vec::new(), Vec::new());
    for (serial, event) in events {
        let event = event.as_ref();
        users.insert(event.pubkey());
        let (mut own_tags, mut mentions) = (BTreeMap::new(), BTreeMap::new());
        for (letter, value) in event.tags().indexed() {
            let hash = hasher.hash(letter, value);
            match mentioned(letter, value) {
                Some(user) => {
                    users.insert(user);
                    mentions.insert(user, hash);
                }
                None => {
                    let key = tag_key(letter, value);
                    tags.entry(key.clone()).or_insert((letter, value));
                    own_tags.insert(key, hash);
                }
            }
            if letter == b'e'
                && let Ok(id) = EventId::from_hex(value.as_bytes())
            {
                let row = [("serial", serial.as_u64().into()), ("id", (&id).into())];
                references.push(Value::map(row));
            }
        }
        let key = tag_key(b'e', &event.id().to_string());
        referred.push(Value::map([("serial", serial.as_u64().into()), ("key", key.into())]));
        let row = |name: &str, (key, hash): (Value, i64)| {
            Value::map([(name, key), ("hash", hash.into())])
        };
        let own_tags = own_tags.into_iter().map(|(key, hash)| row("key", (key.into(), hash)));
        let mentions = mentions.iter().map(|(user, hash)| row("pubkey", (user.into(), *hash)));
        rows.push(Value::map([
            ("properties", properties(*serial, event)),
            ("tags", own_tags.collect::<Value>()),
            ("mentions", mentions.collect::<Value>()),
        ]));
    }
    let tags = tags.into_iter().map(|(key, (letter, value))| {
        let name = char::from(letter).to_string();
        Value::map([("key", key.into()), ("name", name.into()), ("value", readable(value))])
    });
    let mut statements = vec![
        Statement::new(USERS).with("users", users.iter().collect::<Value>()),
        Statement::new(TAGS).with("tags", tags.collect::<Value>()),
        Statement::new(EVENTS).with("rows", Value::List(rows)),
        Statement::new(REFERRED).with("rows", Value::List(referred)),
    ];
    if !references.is_empty() {
        statements.push(Statement::new(REFERENCES).with("references", Value::List(references)));
    }
    statements
}

fn properties(serial: Serial, event: event::EventRef<'_>) -> Value {
    let address = Address::of(event).map(|address| address_key(&address));
    Value::map([
        ("id", (&event.id()).into()),
        ("pubkey", (&event.pubkey()).into()),
        ("kind", u64::from(event.kind().as_u16()).into()),
        ("created_at", event.created_at().as_secs().into()),
        ("expiration", event.expiration().map(event::Timestamp::as_secs).into()),
        ("content", event.content().into_owned().into()),
        ("serial", serial.as_u64().into()),
        ("rank", rank(event).into()),
        ("address", address.into()),
        ("packed", Value::Bytes(event.as_bytes().to_vec())),
    ])
}
