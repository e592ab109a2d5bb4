//! Versions that were replaced: the original keeps them, and gives them too where it is asked for more than
//! one event. Asked without a limit it gives the newest of each address only.

use std::collections::{BTreeSet, HashMap, HashSet};

use event::{Address, Event, EventId, Filter, Kind, KindClass, supersedes};
use tonic::Status;

use super::DatabaseClient;
use crate::proto::orlydb::v1 as proto;

impl DatabaseClient {
    /// Which of these events were replaced by others, among them or not.
    pub(super) async fn replaced(&self, events: &[Event]) -> Result<HashSet<EventId>, Status> {
        let mut newest = Newest::default();
        for event in events {
            newest.learn(event);
        }
        for filter in newest.filters() {
            let request = proto::QueryEventsRequest { filter: Some((&filter).into()) };
            for event in self.answer(request).await? {
                newest.learn(&event);
            }
        }
        let replaced = events.iter().filter(|event| newest.replaced(event));
        Ok(replaced.map(|event| event.as_ref().id()).collect())
    }
}

/// Whether an event of a kind can be replaced.
pub(super) fn is_replaced_some_day(kind: Kind) -> bool {
    match kind.class() {
        KindClass::Replaceable | KindClass::Addressable => true,
        KindClass::Regular | KindClass::Ephemeral => false,
    }
}

/// The newest known event of each address.
#[derive(Default)]
struct Newest(HashMap<Address, Event>);

impl Newest {
    fn learn(&mut self, event: &Event) {
        let Some(address) = Address::of(event.as_ref()) else { return };
        let known = self.0.get(&address);
        if known.is_none_or(|known| supersedes(event.as_ref(), known.as_ref())) {
            self.0.insert(address, event.clone());
        }
    }

    fn replaced(&self, event: &Event) -> bool {
        let newest = Address::of(event.as_ref()).and_then(|address| self.0.get(&address));
        newest.is_some_and(|newest| supersedes(newest.as_ref(), event.as_ref()))
    }

    /// What finds the newest of all these addresses, and of some others.
    fn filters(&self) -> Vec<Filter> {
        let filter = |class: KindClass| {
            let addresses = || self.0.keys().filter(move |address| address.kind.class() == class);
            let kinds: BTreeSet<Kind> = addresses().map(|address| address.kind).collect();
            let authors: BTreeSet<_> = addresses().map(|address| address.pubkey).collect();
            let mut filter = Filter {
                kinds: Some(kinds.into_iter().collect()),
                authors: Some(authors.into_iter().collect()),
                ..Filter::default()
            };
            if class == KindClass::Addressable {
                let names: BTreeSet<_> = addresses().map(|address| &address.d).collect();
                filter.tags.insert(b'd', names.into_iter().cloned().collect());
            }
            filter
        };
        let filters = [KindClass::Replaceable, KindClass::Addressable].map(filter);
        filters.into_iter().filter(|filter| !filter.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Keys, Timestamp};

    fn event(author: u8, kind: u16, d: &str, at: u64) -> Event {
        let draft = Draft {
            created_at: Timestamp::from_secs(at),
            kind: Kind::new(kind),
            tags: vec![vec!["d".into(), d.into()]],
            content: String::new(),
        };
        Keys::from_secret([author; 32]).unwrap().sign(&draft)
    }

    #[test]
    fn the_newest_of_each_address_is_left() {
        let newest = event(1, 0, "", 3);
        let events = [
            event(1, 0, "", 2),
            event(2, 0, "", 1),
            event(1, 30_023, "a", 2),
            event(1, 30_023, "a", 1),
            event(1, 30_023, "b", 1),
            event(1, 1, "", 1),
        ];
        let mut known = Newest::default();
        events.iter().for_each(|event| known.learn(event));
        known.learn(&newest);
        let replaced = events.each_ref().map(|event| known.replaced(event));
        assert_eq!(replaced, [true, false, false, true, false, false]);
    }

    #[test]
    fn the_newest_is_asked_for_where_something_can_be_replaced() {
        let mut known = Newest::default();
        known.learn(&event(1, 1, "", 1));
        assert_eq!(known.filters(), []);
        known.learn(&event(1, 30_023, "a", 1));
        let filters = known.filters();
        let asked = filters[0].clone();
        assert_eq!((filters.len(), asked.kinds), (1, Some(vec![Kind::new(30_023)])));
        assert_eq!(asked.tags.get(&b'd'), Some(&vec!["a".into()]));
        known.learn(&event(1, 0, "", 1));
        assert_eq!(known.filters().len(), 2);
    }
}
