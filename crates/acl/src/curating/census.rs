//! Who wrote how much.

use std::collections::HashMap;

use event::{Pubkey, Timestamp};
use store::{EventStore, StoreError};

use crate::authors::visit_all;
use crate::{UnclassifiedUser, UnclassifiedUsers};

/// How many authors are told apart; the events of others are only counted.
const MOST_AUTHORS: usize = 1_000_000;
/// How many authors are shown at once.
const MOST_SHOWN: usize = 1000;

/// What a scan of all events found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// How many authors there are.
    pub pubkeys: usize,
    /// How many events.
    pub events: u64,
}

/// The events of each author.
#[derive(Debug, Default)]
pub(super) struct Counts {
    authors: HashMap<Pubkey, (u64, Timestamp)>,
    events: u64,
}

impl Counts {
    /// Looks at all events.
    pub(super) async fn take(store: &dyn EventStore) -> Result<Self, StoreError> {
        let mut counts = Self::default();
        visit_all(store, |author, at| counts.add(author, at)).await?;
        Ok(counts)
    }

    fn add(&mut self, author: Pubkey, at: Timestamp) {
        self.events += 1;
        if self.authors.len() < MOST_AUTHORS || self.authors.contains_key(&author) {
            let (count, first) = self.authors.entry(author).or_insert((0, at));
            *count += 1;
            *first = at.min(*first);
        }
    }

    pub(super) fn census(&self) -> Census {
        Census { pubkeys: self.authors.len(), events: self.events }
    }

    /// Some of the authors that are wanted, those with the most events first.
    pub(super) fn page(
        &self,
        is_wanted: impl Fn(Pubkey) -> bool,
        limit: usize,
        offset: usize,
    ) -> UnclassifiedUsers {
        let limit = if limit == 0 { 100 } else { limit.min(MOST_SHOWN) };
        let wanted = self.authors.iter().filter(|(author, _)| is_wanted(**author));
        let mut users: Vec<UnclassifiedUser> = wanted
            .map(|(&pubkey, &(events, first_seen))| UnclassifiedUser { pubkey, events, first_seen })
            .collect();
        users.sort_unstable_by_key(|user| (std::cmp::Reverse(user.events), user.pubkey));
        let total = users.len();
        let users = users.into_iter().skip(offset).take(limit).collect();
        UnclassifiedUsers { users, total }
    }
}
