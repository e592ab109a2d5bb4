//! What all sessions of a relay share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use acl::{AccessControl, AccessLevel, Management, Open};
use event::{EventRef, Kind, Pubkey};
use relay_sync::Reconciler;
use store::{EventStore, Hidden, Markers, Private, Serial, StoreError, Viewer, Watch};
use tokio_util::sync::CancellationToken;

use crate::Settings;
use crate::auth::SpentTokens;
use crate::guard::Guard;
use crate::ingest::Ingest;
use crate::labels::Labels;
use crate::metrics::Metrics;
use crate::nips::Spoken;
use crate::outbox::{LiveEvent, Outgoing};
use crate::subscriptions::Subscriptions;

/// The parts a relay is wired from.
pub struct Parts {
    /// Where events are.
    pub store: Arc<dyn EventStore>,
    /// What is kept beside them.
    pub markers: Arc<dyn Markers>,
    /// Who decides about access.
    pub access: Arc<dyn AccessControl>,
    /// How that is changed at run time (NIP-86), if it can be.
    pub management: Option<Arc<dyn Management>>,
    /// Who answers NIP-77, if anybody.
    pub reconciler: Option<Arc<dyn Reconciler>>,
}

impl Parts {
    /// A relay over a store, open to everybody, that answers no NIP-77.
    pub fn open<S: EventStore + Markers>(store: Arc<S>) -> Self {
        Self {
            store: Arc::clone(&store) as _,
            markers: store,
            access: Arc::new(Open::default()),
            management: None,
            reconciler: None,
        }
    }
}

/// A running relay.
pub(crate) struct Relay {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) access: Arc<dyn AccessControl>,
    pub(crate) management: Option<Arc<dyn Management>>,
    pub(crate) labels: Arc<Labels>,
    pub(crate) reconciler: Option<Arc<dyn Reconciler>>,
    pub(crate) ingest: Ingest,
    pub(crate) subscriptions: Arc<Subscriptions>,
    pub(crate) newest: Arc<NewestSerial>,
    pub(crate) guard: Guard,
    pub(crate) spent_tokens: SpentTokens,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) shutdown: CancellationToken,
}

impl Relay {
    /// Whose eyes a session reads with, as far as its level is known.
    pub(crate) fn viewer(&self, pubkeys: &[Pubkey], level: Option<AccessLevel>) -> Viewer {
        let access = &self.settings.access;
        if pubkeys.iter().any(|pubkey| access.full_sync.contains(pubkey)) {
            return Viewer::OPERATOR;
        }
        let private = match access.privileged_open {
            true => Private::All,
            false => Private::Of(pubkeys.to_vec()),
        };
        let manages = level.is_some_and(AccessLevel::may_manage);
        let hidden = match self.access.mode().hides_authors() && !manages {
            true => Hidden::Withheld,
            false => Hidden::Shown,
        };
        Viewer { private, hidden }
    }

    /// Whether NIP-77 is answered now.
    pub(crate) fn reconciles(&self) -> bool {
        self.reconciler.as_ref().is_some_and(|reconciler| reconciler.is_ready())
    }

    /// What it speaks now.
    pub(crate) fn spoken(&self) -> Spoken {
        Spoken { reconciles: self.reconciles(), is_managed: self.is_managed() }
    }

    /// Whether the pubkey may import, export and delete.
    pub(crate) fn is_admin(&self, pubkey: &Pubkey) -> bool {
        let access = &self.settings.access;
        access.owners.contains(pubkey) || access.admins.contains(pubkey)
    }

    /// Whether owners or admins may manage it at run time (NIP-86).
    pub(crate) fn is_managed(&self) -> bool {
        let access = &self.settings.access;
        !access.owners.is_empty() || !access.admins.is_empty()
    }

    /// Whether the kind may be written and read whoever asks (NIP-46).
    pub(crate) fn is_open_to_signers(&self, kind: Kind) -> bool {
        self.settings.access.open_to_signers && kind == Kind::NOSTR_CONNECT
    }

    /// Whether only a party may read the kind here.
    pub(crate) fn is_restricted(&self, kind: Kind) -> bool {
        kind.is_private() && !self.settings.access.privileged_open
    }
}

/// Hands a new event to all who subscribed to it.
pub(crate) fn deliver(
    subscriptions: &Subscriptions,
    metrics: &Metrics,
    serial: Option<Serial>,
    event: EventRef<'_>,
) {
    let mut live: Option<Arc<LiveEvent>> = None;
    subscriptions.matching(event, |subscription| {
        let event = Arc::clone(live.get_or_insert_with(|| {
            let mut json = Vec::new();
            event.push_json(&mut json);
            let event = event.to_event();
            let _place = subscriptions.room().take(json.len() + event.as_ref().as_bytes().len());
            Arc::new(LiveEvent { serial, json, event, _place })
        }));
        metrics.events_delivered.inc();
        let subscription = Arc::clone(subscription);
        Arc::clone(&subscription.outbox).push(Outgoing::Live { subscription, event });
    });
}

/// The newest serial that this relay acknowledged or delivered.
///
/// A subscription gets nothing live up to the newest serial at its start: its query finds that.
/// Until the store is followed it is not known, and nobody can subscribe.
#[derive(Default)]
pub(crate) struct NewestSerial {
    serial: AtomicU64,
    is_known: AtomicBool,
}

impl NewestSerial {
    pub(crate) fn load(&self) -> Option<Serial> {
        let is_known = self.is_known.load(Ordering::Acquire);
        is_known.then(|| Serial::new(self.serial.load(Ordering::Acquire)))
    }

    pub(crate) fn raise(&self, serial: Serial) {
        self.serial.fetch_max(serial.as_u64(), Ordering::Release);
    }

    /// Says that the store is followed from `serial` on.
    fn know(&self, serial: Serial) {
        self.raise(serial);
        self.is_known.store(true, Ordering::Release);
    }
}

/// How often a look is taken for a store that is away at the start.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Begins to follow the store; `None` while it is away.
pub(crate) async fn begin(
    store: &dyn EventStore,
    newest: &NewestSerial,
) -> Result<Option<Box<dyn Watch>>, StoreError> {
    let last = match store.status().await {
        Ok(status) => status.last_serial,
        Err(StoreError::Unavailable(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let watch = store.watch(last);
    newest.know(last);
    Ok(Some(watch))
}

/// Follows the store, once it is there, and delivers what is new, until the relay stops.
pub(crate) async fn follow(
    store: Arc<dyn EventStore>,
    mut watch: Option<Box<dyn Watch>>,
    subscriptions: Arc<Subscriptions>,
    metrics: Arc<Metrics>,
    newest: Arc<NewestSerial>,
    shutdown: CancellationToken,
) {
    let mut watch = loop {
        match watch {
            Some(watch) => break watch,
            None if shutdown.is_cancelled() => return,
            None => {}
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
        watch = begin(&*store, &newest).await.unwrap_or_default();
    };
    while let Some(batch) = shutdown.run_until_cancelled(watch.next()).await {
        match batch {
            Ok(batch) => {
                for (serial, event) in batch.iter() {
                    deliver(&subscriptions, &metrics, Some(serial), event);
                    newest.raise(serial);
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "follow the event store");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}
