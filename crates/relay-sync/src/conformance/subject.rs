//! A reconciler under examination, and a client of it.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use event::{Event, EventId, Filter, SubscriptionId};
use reconcile::{FrameSizeLimit, Initiator, Item, SortedVec};
use store::{EventStore, Markers, Query, Viewer};

use crate::{NegentropyRefusal, NegentropySessions, Reconciler, SessionKey};

/// How long something may take to happen.
const PATIENCE: Duration = Duration::from_secs(20);

/// A reconciler under examination.
pub struct Subject {
    /// Who answers.
    pub reconciler: Arc<dyn Reconciler>,
    /// The sessions behind it.
    pub sessions: Arc<NegentropySessions>,
    /// The events behind it.
    pub store: Arc<dyn EventStore>,
    /// What is kept beside them.
    pub markers: Arc<dyn Markers>,
    /// What has to live as long: a server, a directory.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// What each side lacks, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) have: Vec<EventId>,
    pub(super) need: Vec<EventId>,
}

impl Subject {
    /// Stores events.
    pub(super) async fn take(&self, events: &[Event]) {
        self.store.save(events.to_vec()).await.unwrap();
    }

    /// Opens a session for an operator who has nothing.
    pub(super) async fn open(&self, key: &SessionKey) -> Result<Vec<u8>, NegentropyRefusal> {
        let (_, first) = begin(&SortedVec::default());
        self.reconciler.open(key.clone(), query("{}", Viewer::OPERATOR), first).await
    }

    /// Reconciles to the end, as a client that has `own`.
    pub(super) async fn reconcile(
        &self,
        filter: &str,
        viewer: Viewer,
        own: &[Event],
    ) -> Difference {
        let set = set(own);
        let (mut initiator, first) = begin(&set);
        let key = key(77, "whole");
        let query = query(filter, viewer);
        let mut answer = self.reconciler.open(key.clone(), query, first).await.unwrap();
        let mut found = Difference::default();
        while let Some(next) = found.learn(&mut initiator, &set, &answer) {
            answer = self.reconciler.message(&key, next).await.unwrap();
        }
        self.reconciler.close(&key).await;
        found.have.sort_unstable();
        found.need.sort_unstable();
        found
    }

    /// Whether the session is not open; asking opens none.
    pub(super) async fn is_unknown(&self, key: &SessionKey) -> bool {
        match self.reconciler.message(key, vec![0x61]).await {
            Ok(answer) => {
                assert_eq!(answer, [0x61]);
                false
            }
            Err(refusal) => {
                assert!(refusal.reason.starts_with("closed: "), "{refusal}");
                true
            }
        }
    }

    /// Waits until so many sessions are open.
    pub(super) async fn until_open(&self, count: usize) {
        let waiting = async {
            while self.sessions.list().len() != count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, waiting).await;
        in_time.unwrap_or_else(|_| panic!("{} sessions are open", self.sessions.list().len()));
    }
}

impl Difference {
    /// Takes a message in; the next to send, if there is one.
    pub(super) fn learn(
        &mut self,
        initiator: &mut Initiator,
        set: &SortedVec,
        answer: &[u8],
    ) -> Option<Vec<u8>> {
        let step = initiator.step(set, answer).unwrap();
        self.have.extend(step.have);
        self.need.extend(step.need);
        step.next
    }

    /// A client that lacks all of these, and has nothing of its own.
    pub(super) fn needs(events: &[&Event]) -> Self {
        Self { have: vec![], need: ids(events) }
    }
}

/// The name of a session.
pub(super) fn key(connection: u64, sub: &str) -> SessionKey {
    SessionKey { connection: connection.into(), sub: SubscriptionId::new(sub).unwrap() }
}

/// A query of one filter.
pub(super) fn query(filter: &str, viewer: Viewer) -> Query {
    Query { filters: vec![Filter::from_json(filter).unwrap()], viewer }
}

/// The ids of events, sorted.
pub(super) fn ids(events: &[&Event]) -> Vec<EventId> {
    let mut ids: Vec<_> = events.iter().map(|event| event.as_ref().id()).collect();
    ids.sort_unstable();
    ids
}

/// What a client has.
pub(super) fn set(events: &[Event]) -> SortedVec {
    let items = events.iter().map(Event::as_ref);
    let item = |event: event::EventRef<'_>| Item { created_at: event.created_at(), id: event.id() };
    items.map(item).collect::<Vec<_>>().into()
}

/// Begins as a client.
pub(super) fn begin(set: &SortedVec) -> (Initiator, Vec<u8>) {
    Initiator::open(set, FrameSizeLimit::NONE, 1000).unwrap()
}
