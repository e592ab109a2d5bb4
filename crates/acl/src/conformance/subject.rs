//! Access control under examination.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use event::{Event, Filter, Prefix, Timestamp};
use store::{EventStore, Query, Viewer};

use super::people::{ADMIN, HERE, OWNER, pubkey};
use crate::{
    AccessControl, AccessLevel, Entry, FollowsSettings, List, Management, Mode, Settings, Subject,
    ThrottleSettings,
};

/// Nothing here takes nearly as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(15);

/// Makes access control of one implementation.
#[async_trait::async_trait]
pub trait Engine: Sync {
    /// Access control over an empty store, ready, that keeps up with the store by itself.
    async fn fresh(&self, settings: Settings) -> Examined;
}

/// Access control under examination.
pub struct Examined {
    /// What is asked.
    pub access: Arc<dyn AccessControl>,
    /// How it is changed.
    pub management: Arc<dyn Management>,
    /// What it keeps its decisions in.
    pub store: Arc<dyn EventStore>,
    /// What has to live as long: a server, a task.
    pub keep: Box<dyn Any + Send + Sync>,
}

/// Settings with one owner and one admin; others write slowly in mode follows.
pub(super) fn settings(mode: Mode) -> Settings {
    let throttle = Some(ThrottleSettings::default());
    Settings {
        mode,
        owners: vec![pubkey(OWNER)],
        admins: vec![pubkey(ADMIN)],
        auth_required: false,
        follows: FollowsSettings { throttle, ..FollowsSettings::default() },
    }
}

impl Examined {
    /// What somebody may do.
    pub(super) async fn level(&self, who: Option<u8>) -> AccessLevel {
        self.access.level(who.map(pubkey), HERE).await.unwrap()
    }

    /// Waits until somebody may do that.
    pub(super) async fn comes_to(&self, who: u8, level: AccessLevel) {
        let wait = async {
            while self.level(Some(who)).await != level {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("never {level}"));
    }

    /// Why an event is refused, by prefix.
    pub(super) async fn refusal(&self, event: &Event) -> Option<Prefix> {
        self.access.check(event.as_ref(), HERE).await.err().map(|rejection| rejection.prefix)
    }

    /// Stores an event, and tells access control.
    pub(super) async fn stores(&self, event: &Event) {
        self.store.save(vec![event.clone()]).await.unwrap();
        self.access.on_stored(event.as_ref()).await;
    }

    /// What the store shows a reader must be these events, in any order.
    pub(super) async fn shows(&self, events: &[&Event]) {
        let query = Query { filters: vec![Filter::default()], viewer: Viewer::of(vec![]) };
        let mut rows = self.store.query(query);
        let mut shown = Vec::new();
        while let Some(batch) = rows.next().await.unwrap() {
            shown.extend(batch.iter().map(|(_, event)| event.id()));
        }
        let mut expected: Vec<_> = events.iter().map(|event| event.as_ref().id()).collect();
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected);
    }

    /// Puts something on a list.
    pub(super) async fn puts(&self, list: List, subject: Subject) {
        self.management.put(list, entry(subject)).await.unwrap();
    }

    /// What is on a list.
    pub(super) async fn subjects(&self, list: List) -> Vec<Subject> {
        let entries = self.management.entries(list).await.unwrap();
        entries.iter().map(|entry| entry.subject).collect()
    }
}

/// An entry with a reason.
pub(super) fn entry(subject: Subject) -> Entry {
    Entry { subject, reason: "so".into(), added: Timestamp::now(), author: None }
}
