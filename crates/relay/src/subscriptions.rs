//! Live subscriptions, found by what a new event has rather than by asking each of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use event::{EventId, EventRef, Filter, Kind, Pubkey, SubscriptionId};
use parking_lot::RwLock;

use crate::outbox::Outbox;
use crate::room::Room;

/// A subscription of a session.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub(crate) id: SubscriptionId,
    pub(crate) filters: Vec<Filter>,
    pub(crate) outbox: Arc<Outbox>,
}

/// All live subscriptions of the relay.
///
/// Each filter stands under its narrowest part: ids, else authors, else one tag, else kinds, else
/// under none. An event then meets only those filed under something it has.
pub(crate) struct Subscriptions {
    shelves: RwLock<Shelves>,
    room: Arc<Room>,
}

#[derive(Default)]
struct Shelves {
    ids: Shelf<EventId>,
    authors: Shelf<Pubkey>,
    tags: Shelf<(u8, Box<str>)>,
    kinds: Shelf<Kind>,
    all: Vec<Arc<Subscription>>,
}

type Shelf<K> = HashMap<K, Vec<Arc<Subscription>>>;

impl Subscriptions {
    /// None yet; what waits for their clients takes `room`.
    pub(crate) fn new(room: Arc<Room>) -> Self {
        Self { shelves: RwLock::default(), room }
    }

    /// What waits for clients is counted here.
    pub(crate) fn room(&self) -> Arc<Room> {
        Arc::clone(&self.room)
    }

    pub(crate) fn insert(&self, subscription: &Arc<Subscription>) {
        let mut shelves = self.shelves.write();
        subscription.filters.iter().for_each(|filter| shelves.insert(filter, subscription));
    }

    pub(crate) fn remove(&self, subscription: &Arc<Subscription>) {
        let mut shelves = self.shelves.write();
        subscription.filters.iter().for_each(|filter| shelves.remove(filter, subscription));
    }

    /// Shows each subscription that asks for `event`, once.
    pub(crate) fn matching(&self, event: EventRef<'_>, mut show: impl FnMut(&Arc<Subscription>)) {
        let shelves = self.shelves.read();
        let mut shown: Vec<*const Subscription> = Vec::new();
        let mut meet = |found: Option<&Vec<Arc<Subscription>>>| {
            for subscription in found.into_iter().flatten() {
                let place = Arc::as_ptr(subscription);
                if !shown.contains(&place)
                    && subscription.filters.iter().any(|filter| filter.matches(event))
                {
                    shown.push(place);
                    show(subscription);
                }
            }
        };
        meet(shelves.ids.get(&event.id()));
        meet(shelves.authors.get(&event.pubkey()));
        meet(shelves.kinds.get(&event.kind()));
        meet(Some(&shelves.all));
        if !shelves.tags.is_empty() {
            for (letter, value) in event.tags().indexed() {
                meet(shelves.tags.get(&(letter, value.into())));
            }
        }
    }
}

impl Shelves {
    fn insert(&mut self, filter: &Filter, subscription: &Arc<Subscription>) {
        fn file<K: Hash + Eq>(shelf: &mut Shelf<K>, key: K, subscription: &Arc<Subscription>) {
            shelf.entry(key).or_default().push(Arc::clone(subscription));
        }
        match Place::of(filter) {
            Place::Ids(ids) => ids.iter().for_each(|id| file(&mut self.ids, *id, subscription)),
            Place::Authors(keys) => {
                keys.iter().for_each(|key| file(&mut self.authors, *key, subscription))
            }
            Place::Tag(letter, values) => {
                values
                    .iter()
                    .for_each(|value| file(&mut self.tags, (letter, value.clone()), subscription));
            }
            Place::Kinds(kinds) => {
                kinds.iter().for_each(|kind| file(&mut self.kinds, *kind, subscription))
            }
            Place::Any => self.all.push(Arc::clone(subscription)),
        }
    }

    fn remove(&mut self, filter: &Filter, subscription: &Arc<Subscription>) {
        fn take<K: Hash + Eq>(shelf: &mut Shelf<K>, key: &K, subscription: &Arc<Subscription>) {
            if let Some(filed) = shelf.get_mut(key) {
                filed.retain(|other| !Arc::ptr_eq(other, subscription));
                if filed.is_empty() {
                    shelf.remove(key);
                }
            }
        }
        match Place::of(filter) {
            Place::Ids(ids) => ids.iter().for_each(|id| take(&mut self.ids, id, subscription)),
            Place::Authors(keys) => {
                keys.iter().for_each(|key| take(&mut self.authors, key, subscription))
            }
            Place::Tag(letter, values) => {
                values
                    .iter()
                    .for_each(|value| take(&mut self.tags, &(letter, value.clone()), subscription));
            }
            Place::Kinds(kinds) => {
                kinds.iter().for_each(|kind| take(&mut self.kinds, kind, subscription))
            }
            Place::Any => self.all.retain(|other| !Arc::ptr_eq(other, subscription)),
        }
    }
}

/// Where a filter is filed.
enum Place<'a> {
    Ids(&'a [EventId]),
    Authors(&'a [Pubkey]),
    Tag(u8, &'a [Box<str>]),
    Kinds(&'a [Kind]),
    Any,
}

impl<'a> Place<'a> {
    fn of(filter: &'a Filter) -> Self {
        let tag = filter.tags.iter().min_by_key(|(_, values)| values.len());
        match (&filter.ids, &filter.authors, tag, &filter.kinds) {
            (Some(ids), ..) => Self::Ids(ids),
            (_, Some(authors), ..) => Self::Authors(authors),
            (.., Some((&letter, values)), _) => Self::Tag(letter, values),
            (.., Some(kinds)) => Self::Kinds(kinds),
            (None, None, None, None) => Self::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Event, Keys, Timestamp};

    fn event(seed: u8, kind: u16, tag: &str) -> Event {
        let tags = vec![vec!["t".into(), tag.into()]];
        let draft = Draft {
            created_at: Timestamp::from_secs(1),
            kind: Kind::new(kind),
            tags,
            content: "".into(),
        };
        Keys::from_secret([seed; 32]).unwrap().sign(&draft)
    }

    #[test]
    fn an_event_meets_each_matching_subscription_once_until_it_is_removed() {
        let event = event(1, 1, "a");
        let (id, author) = (event.as_ref().id(), event.as_ref().pubkey());
        let filters = [
            (format!(r#"{{"ids":["{id}"]}}"#), true),
            (format!(r#"{{"authors":["{author}"],"kinds":[1]}}"#), true),
            (format!(r#"{{"authors":["{author}"],"kinds":[2]}}"#), false),
            (r##"{"#t":["a","b"]}"##.into(), true),
            (r##"{"#t":["b"]}"##.into(), false),
            (r#"{"kinds":[0,1]}"#.into(), true),
            ("{}".into(), true),
            (r#"{"since":2}"#.into(), false),
        ];
        for (filter, expected) in filters {
            let room = Room::new(1);
            let subscriptions = Subscriptions::new(Arc::clone(&room));
            let filter: Filter = filter.parse().unwrap();
            let (outbox, _) = Outbox::new(1, room);
            let id = SubscriptionId::new("s").unwrap();
            let filters = vec![filter.clone(), filter];
            let subscription = Arc::new(Subscription { id, filters, outbox });
            let met = |subscriptions: &Subscriptions| {
                let mut count = 0;
                subscriptions.matching(event.as_ref(), |_| count += 1);
                count
            };
            subscriptions.insert(&subscription);
            assert_eq!(met(&subscriptions), usize::from(expected), "{:?}", subscription.filters[0]);
            subscriptions.remove(&subscription);
            assert_eq!(met(&subscriptions), 0);
        }
    }
}
