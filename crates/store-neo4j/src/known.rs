//! What the graph knows of a batch before it is saved: what stands where its events want to, and what is refused.

use std::collections::{BTreeSet, HashMap};

use event::{Address, Deletion, Event, EventId, Kind, Pubkey, Timestamp};
use store::Serial;

use crate::Neo4jError;
use crate::bolt::{Record, Statement, Value};
use crate::keys::{address_key, tombstone};
use crate::shared::pubkey;

const BY_ID: &str = "UNWIND $ids AS id MATCH (e:Event {id: id}) \
    RETURN e.serial, e.id, e.pubkey, e.kind, e.created_at, e.address";
const BY_ADDRESS: &str = "UNWIND $addresses AS address MATCH (e:Event {address: address}) \
    RETURN e.serial, e.id, e.pubkey, e.kind, e.created_at, e.address";
const TOMBSTONES: &str = "UNWIND $keys AS key MATCH (t:Tombstone {key: key}) RETURN t.key, t.until";

/// An event that is stored, as far as saving has to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored {
    pub(crate) serial: Serial,
    pub(crate) id: EventId,
    pub(crate) pubkey: Pubkey,
    pub(crate) kind: Kind,
    pub(crate) created_at: Timestamp,
}

/// What the graph knows.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) by_id: HashMap<EventId, Stored>,
    pub(crate) by_address: HashMap<String, Stored>,
    /// Up to which time what a key names is refused.
    pub(crate) tombstones: HashMap<String, Timestamp>,
}

impl Known {
    /// Statements whose answers [`Known::read`] takes.
    pub(crate) fn ask(events: &[&Event]) -> Vec<Statement> {
        let mut ids = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for event in events.iter().map(|event| event.as_ref()) {
            ids.insert(event.id());
            keys.insert(tombstone::id(&event.id()));
            keys.insert(tombstone::id_by(&event.id(), &event.pubkey()));
            keys.insert(tombstone::author(&event.pubkey()));
            addresses.extend(Address::of(event));
            if event.kind() == Kind::GIFT_WRAP {
                let parties = event.tags().values_of("p");
                let parties = parties.filter_map(|party| Pubkey::from_hex(party.as_bytes()).ok());
                keys.extend(parties.map(|party| tombstone::author(&party)));
            }
            if let Some(deletion) = Deletion::of(event) {
                ids.extend(deletion.ids);
                addresses.extend(deletion.addresses);
            }
        }
        let addresses: BTreeSet<String> = addresses.iter().map(address_key).collect();
        keys.extend(addresses.iter().map(|address| tombstone::address(address)));
        vec![
            Statement::new(BY_ID).with("ids", ids.iter().collect::<Value>()),
            Statement::new(BY_ADDRESS).with("addresses", addresses.into_iter().collect::<Value>()),
            Statement::new(TOMBSTONES).with("keys", keys.into_iter().collect::<Value>()),
        ]
    }

    /// Takes the answers.
    pub(crate) fn read(answers: &[Vec<Record>]) -> Result<Self, Neo4jError> {
        let [by_id, by_address, tombstones] = answers else {
            return Err(Neo4jError::Damaged("an answer that is missing"));
        };
        let mut known = Self::default();
        for (stored, _) in by_id.iter().filter_map(stored) {
            known.by_id.insert(stored.id, stored);
        }
        for (stored, address) in by_address.iter().filter_map(stored) {
            known.by_address.insert(address.unwrap_or_default(), stored);
        }
        for row in tombstones {
            if let [Value::Text(key), until] = &row[..] {
                known.tombstones.insert(key.clone(), time(until));
            }
        }
        Ok(known)
    }
}

/// An event and its address. What is no event of ours is passed over.
fn stored(row: &Record) -> Option<(Stored, Option<String>)> {
    let [serial, id, author, kind, created_at, address] = &row[..] else { return None };
    let stored = Stored {
        serial: Serial::new(u64::try_from(serial.as_int()?).ok()?),
        id: EventId::from_hex(id.as_text()?.as_bytes()).ok()?,
        pubkey: pubkey(author)?,
        kind: Kind::new(u16::try_from(kind.as_int()?).ok()?),
        created_at: time(created_at),
    };
    Some((stored, address.as_text().map(str::to_owned)))
}

fn time(value: &Value) -> Timestamp {
    Timestamp::from_secs(u64::try_from(value.as_int().unwrap_or_default()).unwrap_or_default())
}
