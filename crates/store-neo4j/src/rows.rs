//! The answer to a query, page by page: between two of them nothing is held at the server.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use event::{Filter, Timestamp};
use store::{EventBatch, Hidden, HiddenAuthors, Query, Rows, Serial, StoreError, Viewer};

use crate::Neo4jError;
use crate::bolt::{Record, Value};
use crate::cypher::{Asker, Search, Way, finds_nothing};
use crate::events::Events;
use crate::keys::rank;
use crate::shared::Shared;

/// How many events the first page has, and each later one at most.
const FIRST_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;
/// How many events a server sends before it waits.
const FETCH: usize = 100;
/// Ways are compared by so many entries.
const BREADTH: u64 = 2000;

/// An answer on its way.
pub(crate) struct Neo4jRows {
    shared: Arc<Shared>,
    viewer: Viewer,
    /// What is still to be answered, the first last.
    filters: Vec<Filter>,
    /// How far the filter under way is.
    place: Option<Place>,
    /// What was given, where another filter may find it again.
    given: Option<HashSet<Serial>>,
}

/// Where the next page of a filter begins.
struct Place {
    filter: Filter,
    way: Way,
    after: Option<String>,
    left: u64,
    page: usize,
}

impl Neo4jRows {
    pub(crate) fn new(shared: Arc<Shared>, query: Query) -> Self {
        let Query { mut filters, viewer } = query;
        filters.reverse();
        let given = (filters.len() > 1).then(HashSet::new);
        Self { shared, viewer, filters, place: None, given }
    }

    /// The next page of the filter under way.
    async fn page(&mut self, place: &mut Place) -> Result<(EventBatch, IsLast), Neo4jError> {
        let graph = self.shared.graph().await?;
        let hidden = self.shared.hidden_from(&self.viewer).await?;
        // Hidden authors may be thousands: they are passed over here.
        let viewer = Viewer { hidden: Hidden::Shown, private: self.viewer.private.clone() };
        let now = Timestamp::now();
        let none = HiddenAuthors::default();
        let asker = Asker { viewer: &viewer, hidden: &none, hasher: &graph.hasher, now };
        let most = place.page.min(usize::try_from(place.left).unwrap_or(usize::MAX));
        let most = most.min(self.shared.client.options.result_limit.max(1));
        let search = Search::new(&place.filter, place.way, asker);
        let statement = search.page(place.after.as_deref(), most);
        let mut found = Events::default();
        let fetch = FETCH.min(self.shared.client.options.fetch_size);
        let take = |row| found.take(row).map_or(ControlFlow::Break(()), ControlFlow::Continue);
        self.shared.client.read(&statement, fetch, take).await?;
        let is_last = found.len() < most && !found.is_full();
        let mut events = found.into_batch()?;
        if let Some((_, last)) = events.iter().last() {
            place.after = Some(rank(last));
        }
        events.retain(|serial, event| {
            let may_be_given = place.left > 0
                && place.filter.matches(event)
                && self.viewer.may_see(event, &hidden)
                && !event.is_expired(now);
            place.left -= u64::from(may_be_given);
            may_be_given && self.given.as_mut().is_none_or(|given| given.insert(serial))
        });
        place.page = (place.page * 2).min(LARGEST_PAGE);
        Ok((events, if is_last || place.left == 0 { IsLast::Yes } else { IsLast::No }))
    }
}

/// Whether a page is the last of its filter.
#[derive(PartialEq, Eq)]
enum IsLast {
    Yes,
    No,
}

#[async_trait]
impl Rows for Neo4jRows {
    async fn next(&mut self) -> Result<Option<EventBatch>, StoreError> {
        loop {
            let mut place = match self.place.take() {
                Some(place) => place,
                None => {
                    let Some(filter) = self.filters.pop() else { return Ok(None) };
                    let left = filter.limit.unwrap_or(u64::MAX);
                    if finds_nothing(&filter) || left == 0 {
                        continue;
                    }
                    let way = narrowest(&self.shared, &filter).await?;
                    Place { filter, way, after: None, left, page: FIRST_PAGE }
                }
            };
            let (events, is_last) = self.page(&mut place).await?;
            if is_last == IsLast::No {
                self.place = Some(place);
            }
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
    }
}

/// The way that reads least. Where there are several, the server is asked how broad they are.
pub(crate) async fn narrowest(shared: &Shared, filter: &Filter) -> Result<Way, Neo4jError> {
    let ways = Way::of(filter);
    let [first, _, ..] = ways[..] else { return Ok(ways[0]) };
    let graph = shared.graph().await?;
    let asker = Asker {
        viewer: &Viewer::OPERATOR,
        hidden: &HiddenAuthors::default(),
        hasher: &graph.hasher,
        now: Timestamp::now(),
    };
    let statements: Vec<_> =
        ways.iter().map(|way| Search::new(filter, *way, asker).breadth(BREADTH)).collect();
    let breadths = shared.client.read_all(&statements).await?;
    let breadth = |rows: &Vec<Record>| match rows.first().map(Vec::as_slice) {
        Some([Value::Int(breadth)]) => *breadth,
        _ => i64::MAX,
    };
    let narrowest = ways.iter().zip(&breadths).min_by_key(|(_, rows)| breadth(rows));
    Ok(narrowest.map_or(first, |(way, _)| *way))
}
