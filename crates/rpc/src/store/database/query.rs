//! Asking: a filter a call, newest first, as many events as a page has.

use std::collections::{HashMap, HashSet};

use event::{Event, EventId, Filter};
use reconcile::{Item, SortedVec};
use store::{
    EventBatch, GatheredSet, HIDDEN_AUTHORS_MARKER, Hidden, HiddenAuthors, Query, ReconcileError,
    Serial, Viewer,
};
use tonic::Status;

use super::DatabaseClient;
use super::answer::{Answered, in_our_words};
use super::versions::is_replaced_some_day;
use crate::proto::orlydb::v1 as proto;
use crate::store::failure::to_status;
use crate::store::remote::{Page, Position, Then};

/// How many events one call asks for.
const PAGE: u64 = 500;

impl DatabaseClient {
    /// The next events of an answer, without those that `viewer` may not see.
    pub(in crate::store) async fn page(
        &self,
        viewer: &Viewer,
        position: &Position,
    ) -> Result<Page, Status> {
        let mut position = position.clone();
        let hidden = self.hidden_from(viewer).await?;
        loop {
            let rest = position.rest();
            let (events, is_end) = self.events(&position).await?;
            let replaced = self.replaced(&events).await?;
            let mut seen = Vec::new();
            for event in &events {
                if replaced.contains(&event.as_ref().id()) {
                    position.pass(event.as_ref());
                    continue;
                }
                // Only what may be seen counts against the limit.
                if viewer.may_see(event.as_ref(), &hidden) {
                    seen.push(event.clone());
                } else {
                    position.pass(event.as_ref());
                }
            }
            if !seen.is_empty() || is_end {
                let batch = self.with_serials(&rest, &seen).await?;
                let then = if is_end { Then::End } else { Then::Ask(None) };
                return Ok(Page { batch, then });
            }
        }
    }

    /// The next events of an answer, and whether that is all.
    async fn events(&self, position: &Position) -> Result<(Vec<Event>, bool), Status> {
        let mut filter = position.rest();
        if filter.is_empty() || position.is_over() {
            return Ok((Vec::new(), true));
        }
        let most = filter.limit.unwrap_or(u64::MAX).min(PAGE + position.again());
        filter.limit = Some(most);
        let request = proto::QueryEventsRequest { filter: Some((&filter).into()) };
        let mut found = self.answer(request).await?;
        // It may know filters less well than we do.
        found.retain(|event| filter.matches(event.as_ref()));
        let is_end = (found.len() as u64) < most;
        found.sort_by_key(|event| {
            let event = event.as_ref();
            (std::cmp::Reverse(event.created_at()), event.id())
        });
        Ok((found, is_end))
    }

    /// The events that the service finds.
    pub(super) async fn answer(
        &self,
        request: proto::QueryEventsRequest,
    ) -> Result<Vec<Event>, Status> {
        let mut parts = self.client.clone().query_events(request).await.answered()?;
        let mut found = Vec::new();
        while let Some(part) =
            parts.message().await.map_err(|status| in_our_words(&status).unwrap_or(status))?
        {
            for event in part.events {
                found.push(Event::try_from(event).map_err(malformed)?);
            }
        }
        Ok(found)
    }

    /// Adds serials: those of the filter come in one call, unless it names ids.
    async fn with_serials(&self, filter: &Filter, events: &[Event]) -> Result<EventBatch, Status> {
        let ids: Vec<EventId> = events.iter().map(|event| event.as_ref().id()).collect();
        let mut serials = HashMap::new();
        if filter.ids.is_none() && ids.len() > 1 {
            let limit = Some(PAGE * 2);
            let filter = Filter { limit, ..filter.clone() };
            let request = proto::QueryEventsRequest { filter: Some((&filter).into()) };
            let found = self.client.clone().query_for_ids(request).await.answered()?.items;
            serials.extend(found.into_iter().filter_map(|item| {
                Some((EventId::try_from(&item.id[..]).ok()?, Serial::new(item.serial + 1)))
            }));
        }
        let others: Vec<EventId> =
            ids.iter().filter(|id| !serials.contains_key(*id)).copied().collect();
        let found = self.serials(&others).await?;
        serials.extend(others.iter().zip(found).filter_map(|(id, serial)| Some((*id, serial?))));
        let mut batch = EventBatch::default();
        for (id, event) in ids.iter().zip(events) {
            batch.push(serials.get(id).copied().unwrap_or_default(), event.as_ref());
        }
        Ok(batch)
    }

    /// Counts what matches. One filter without hidden or replaceable kinds the service counts; all else is
    /// looked at.
    pub(in crate::store) async fn count(&self, query: &Query) -> Result<u64, Status> {
        if let ([filter], true) = (&query.filters[..], query.viewer == Viewer::OPERATOR) {
            if filter.is_empty() {
                return Ok(0);
            }
            let filter = Filter { limit: None, ..filter.clone() };
            let request = proto::QueryEventsRequest { filter: Some((&filter).into()) };
            let count = self.client.clone().count_events(request).await.answered()?;
            let kinds = filter.kinds.as_deref().unwrap_or_default();
            if !count.approximate && !kinds.iter().any(|kind| is_replaced_some_day(*kind)) {
                return Ok(u64::try_from(count.count).unwrap_or(0));
            }
        }
        let mut seen = HashSet::new();
        for filter in &query.filters {
            let filter = Filter { limit: None, ..filter.clone() };
            self.visit(filter, &query.viewer, |event| {
                seen.insert(event.as_ref().id());
                true
            })
            .await?;
        }
        Ok(seen.len() as u64)
    }

    /// Gathers the set of a query.
    pub(in crate::store) async fn gather(
        &self,
        query: &Query,
        max_records: u64,
    ) -> Result<GatheredSet, Status> {
        let mut items = Vec::new();
        let mut fits = true;
        let filter = query.filters.first().cloned().unwrap_or_default();
        let filter = Filter { limit: None, ..filter };
        self.visit(filter, &query.viewer, |event| {
            fits = (items.len() as u64) < max_records;
            let event = event.as_ref();
            items.push(Item { created_at: event.created_at(), id: event.id() });
            fits
        })
        .await?;
        if !fits {
            return Err(to_status(ReconcileError::TooLarge { max: max_records }));
        }
        Ok(GatheredSet(SortedVec::from(items).into()))
    }

    /// The authors who are hidden from a viewer.
    async fn hidden_from(&self, viewer: &Viewer) -> Result<HiddenAuthors, Status> {
        let marker = match viewer.hidden {
            Hidden::Shown => None,
            Hidden::Withheld => self.marker(HIDDEN_AUTHORS_MARKER).await?,
        };
        Ok(HiddenAuthors::from_marker(marker.unwrap_or_default()))
    }

    /// Shows all that match and may be seen, until `show` says that it is enough.
    pub(super) async fn visit(
        &self,
        filter: Filter,
        viewer: &Viewer,
        mut show: impl FnMut(&Event) -> bool,
    ) -> Result<(), Status> {
        let mut position = Position::start(filter);
        let hidden = self.hidden_from(viewer).await?;
        loop {
            let (events, is_end) = self.events(&position).await?;
            let replaced = self.replaced(&events).await?;
            for event in &events {
                let is_new =
                    position.take(event.as_ref()) && !replaced.contains(&event.as_ref().id());
                if is_new && viewer.may_see(event.as_ref(), &hidden) && !show(event) {
                    return Ok(());
                }
            }
            if is_end {
                return Ok(());
            }
        }
    }
}

fn malformed(malformed: crate::Malformed) -> Status {
    to_status(store::StoreError::internal(malformed))
}
