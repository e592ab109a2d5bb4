//! Decides about a batch event by event in order, from what the graph knows; nothing is written here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use event::{
    Address, Deletion, Event, EventId, EventRef, Kind, KindClass, Pubkey, Timestamp,
    is_vanish_request, may_delete, supersedes,
};
use store::{SaveOutcome, Serial};

use crate::keys::{address_key, tombstone};
use crate::known::{Known, Stored};

/// A batch under way.
pub(crate) struct Batch<'a> {
    known: Known,
    now: Timestamp,
    relay_urls: &'a [String],
    next_serial: u64,
    /// From which serial on stored events are those of an earlier try of the same batch.
    ours_from: Option<Serial>,
    /// What was accepted; `None` where it was replaced or deleted since.
    pending: Vec<Option<(Serial, &'a Event)>>,
    /// Where in `pending` an id is.
    ids: HashMap<EventId, usize>,
    /// Where in `pending` the newest event of an address is.
    addresses: HashMap<String, usize>,
    /// All events of the batch, which tell whom a stored gift wrap is for.
    batch: HashMap<EventId, &'a Event>,
    changes: Changes,
}

/// What a batch does to a graph besides adding events.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) removed: BTreeSet<Serial>,
    pub(crate) tombstones: BTreeMap<String, Timestamp>,
    /// Who vanished, and up to when.
    pub(crate) vanished: Vec<(Pubkey, Timestamp)>,
}

/// What a batch comes to.
pub(crate) struct Decided<'a> {
    pub(crate) changes: Changes,
    pub(crate) added: Vec<(Serial, &'a Event)>,
    pub(crate) last_serial: Serial,
}

impl<'a> Batch<'a> {
    pub(crate) fn new(
        known: Known,
        events: &[&'a Event],
        relay_urls: &'a [String],
        last_serial: Serial,
    ) -> Self {
        Self {
            known,
            now: Timestamp::now(),
            relay_urls,
            next_serial: last_serial.as_u64() + 1,
            ours_from: None,
            pending: Vec::new(),
            ids: HashMap::new(),
            addresses: HashMap::new(),
            batch: events.iter().map(|event| (event.as_ref().id(), *event)).collect(),
            changes: Changes::default(),
        }
    }

    /// Takes what is stored from a serial on for what an earlier try stored, whose answer was lost.
    #[must_use]
    pub(crate) fn again_from(mut self, serial: Option<Serial>) -> Self {
        self.ours_from = serial;
        self
    }

    /// Decides about one event.
    pub(crate) fn save(&mut self, event: &'a Event) -> SaveOutcome {
        if let Some(refusal) = self.refusal(event.as_ref()) {
            return refusal;
        }
        let address = Address::of(event.as_ref()).map(|address| address_key(&address));
        if let Some(address) = &address {
            self.clear(address);
        }
        if let Some(deletion) = Deletion::of(event.as_ref()) {
            self.apply(event.as_ref(), &deletion);
        }
        if is_vanish_request(event.as_ref(), self.relay_urls) {
            self.vanish(event.as_ref());
        }
        let serial = Serial::new(self.next_serial);
        self.next_serial += 1;
        self.ids.insert(event.as_ref().id(), self.pending.len());
        if let Some(address) = address {
            self.addresses.insert(address, self.pending.len());
        }
        self.pending.push(Some((serial, event)));
        SaveOutcome::Stored(serial)
    }

    /// Why the event is not to be stored.
    pub(crate) fn refusal(&self, event: EventRef<'_>) -> Option<SaveOutcome> {
        let id = event.id();
        if event.kind().class() == KindClass::Ephemeral {
            return Some(SaveOutcome::Ephemeral);
        }
        if event.is_expired(self.now) {
            return Some(SaveOutcome::Expired);
        }
        if self.ids.get(&id).is_some_and(|&at| self.pending[at].is_some()) {
            return Some(SaveOutcome::Duplicate);
        }
        if let Some(stored) = self.known.by_id.get(&id).filter(|stored| self.is_there(stored)) {
            let is_ours = self.ours_from.is_some_and(|first| stored.serial >= first);
            return Some(match is_ours {
                true => SaveOutcome::Stored(stored.serial),
                false => SaveOutcome::Duplicate,
            });
        }
        if self.is_id_deleted(event) {
            return Some(SaveOutcome::Deleted);
        }
        if self.has_vanished(event) {
            return Some(SaveOutcome::Vanished);
        }
        let address = address_key(&Address::of(event)?);
        if self.refused_until(&tombstone::address(&address)) >= Some(event.created_at()) {
            return Some(SaveOutcome::Deleted);
        }
        let is_superseded = match self.addresses.get(&address) {
            Some(&at) => self.pending[at].is_some_and(|(_, old)| !supersedes(event, old.as_ref())),
            None => self.at_address(&address).is_some_and(|old| {
                // The rule of `supersedes`, on what is known of the stored one.
                (old.created_at, id) >= (event.created_at(), old.id)
            }),
        };
        is_superseded.then_some(SaveOutcome::Superseded)
    }

    /// The stored event at an address.
    pub(crate) fn at_address(&self, address: &str) -> Option<&Stored> {
        self.known.by_address.get(address).filter(|stored| self.is_there(stored))
    }

    /// What it comes to.
    pub(crate) fn finish(self) -> Decided<'a> {
        Decided {
            changes: self.changes,
            added: self.pending.into_iter().flatten().collect(),
            last_serial: Serial::new(self.next_serial - 1),
        }
    }

    fn is_there(&self, stored: &Stored) -> bool {
        !self.changes.removed.contains(&stored.serial)
    }

    fn refused_until(&self, key: &str) -> Option<Timestamp> {
        self.changes.tombstones.get(key).or_else(|| self.known.tombstones.get(key)).copied()
    }

    /// Refuses what `key` names up to `until`, if not longer already.
    fn refuse(&mut self, key: String, until: Timestamp) {
        let until = self.refused_until(&key).map_or(until, |before| before.max(until));
        self.changes.tombstones.insert(key, until);
    }

    /// Whether an admin or, if they may, its author deleted the event's id.
    fn is_id_deleted(&self, event: EventRef<'_>) -> bool {
        let (id, author) = (event.id(), event.pubkey());
        self.refused_until(&tombstone::id(&id)).is_some()
            || may_delete(event, event)
                && self.refused_until(&tombstone::id_by(&id, &author)).is_some()
    }

    /// Whether its author or, for a gift wrap, who it is for vanished after it was made.
    fn has_vanished(&self, event: EventRef<'_>) -> bool {
        let author = Some(event.pubkey()).filter(|_| event.kind() != Kind::VANISH);
        let most = if event.kind() == Kind::GIFT_WRAP { usize::MAX } else { 0 };
        let parties = event.tags().values_of("p").take(most);
        let parties = parties.filter_map(|value| Pubkey::from_hex(value.as_bytes()).ok());
        author.into_iter().chain(parties).any(|pubkey| {
            self.refused_until(&tombstone::author(&pubkey)) >= Some(event.created_at())
        })
    }

    /// Removes what stands at an address.
    fn clear(&mut self, address: &str) {
        if let Some(&at) = self.addresses.get(address) {
            self.pending[at] = None;
        }
        if let Some(old) = self.known.by_address.get(address) {
            self.changes.removed.insert(old.serial);
        }
    }

    /// Carries out a deletion request (NIP-09).
    fn apply(&mut self, request: EventRef<'_>, deletion: &Deletion) {
        for id in &deletion.ids {
            if let Some(&at) = self.ids.get(id) {
                self.pending[at] =
                    self.pending[at].filter(|(_, target)| !may_delete(request, target.as_ref()));
            } else if let Some(stored) = self.known.by_id.get(id)
                && request.pubkey() == stored.pubkey
                && ![Kind::DELETION, Kind::VANISH].contains(&stored.kind)
            {
                self.changes.removed.insert(stored.serial);
            }
            self.refuse(tombstone::id_by(id, &request.pubkey()), request.created_at());
        }
        for address in deletion.addresses.iter().map(address_key) {
            let until = request.created_at();
            if let Some(&at) = self.addresses.get(&address) {
                self.pending[at] =
                    self.pending[at].filter(|(_, old)| old.as_ref().created_at() > until);
            }
            if let Some(old) = self.at_address(&address)
                && old.created_at <= until
            {
                let serial = old.serial;
                self.changes.removed.insert(serial);
            }
            self.refuse(tombstone::address(&address), until);
        }
    }

    /// Carries out a request to vanish (NIP-62), as far as this batch has to know.
    fn vanish(&mut self, request: EventRef<'_>) {
        let (author, until) = (request.pubkey(), request.created_at());
        let is_wrap =
            |event: EventRef<'_>| event.kind() == Kind::GIFT_WRAP && event.is_party(&author);
        for place in &mut self.pending {
            *place = place.filter(|(_, event)| {
                let event = event.as_ref();
                let own = event.pubkey() == author && event.kind() != Kind::VANISH;
                event.created_at() > until || !(own || is_wrap(event))
            });
        }
        for stored in self.known.by_id.values().chain(self.known.by_address.values()) {
            let own = stored.pubkey == author && stored.kind != Kind::VANISH;
            let wrap = self.batch.get(&stored.id).is_some_and(|event| is_wrap(event.as_ref()));
            if stored.created_at <= until && (own || wrap) {
                self.changes.removed.insert(stored.serial);
            }
        }
        self.refuse(tombstone::author(&author), until);
        self.changes.vanished.push((author, until));
    }
}
