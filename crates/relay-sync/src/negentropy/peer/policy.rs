//! What is not taken and not given, though it differs.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::{EventId, EventRef};
use parking_lot::Mutex;

/// Says why an event that a peer gave is not taken.
#[derive(Clone)]
pub struct Admission(Arc<Check>);

type Check = dyn Fn(EventRef<'_>) -> Result<(), String> + Send + Sync;

impl Admission {
    /// Takes a rule; its error is a reason in a few words.
    pub fn new(check: impl Fn(EventRef<'_>) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(check))
    }

    pub(super) fn check(&self, event: EventRef<'_>) -> Result<(), String> {
        (self.0)(event)
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admission")
    }
}

/// Whether only its author may publish it (NIP-70).
pub(super) fn is_protected(event: EventRef<'_>) -> bool {
    event.tags().as_json().contains("[\"-\"")
        && event.tags().iter().any(|tag| tag.name() == Some("-"))
}

/// How many ids are remembered.
const MAX_FRUITLESS: usize = 100_000;
/// How long.
const REMEMBERED: Duration = Duration::from_secs(86_400);

/// Ids that were asked for in vain, or whose events found no place here: a peer that is synchronised
/// every minute need not send them every minute.
#[derive(Debug, Default)]
pub struct Fruitless(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    ids: HashSet<EventId>,
    since: Option<Instant>,
}

impl Fruitless {
    pub(super) fn add(&self, ids: impl IntoIterator<Item = EventId>) {
        let mut remembered = self.0.lock();
        for id in ids {
            let is_old = remembered.since.is_some_and(|since| since.elapsed() > REMEMBERED);
            if is_old || remembered.ids.len() >= MAX_FRUITLESS {
                *remembered = Remembered::default();
            }
            remembered.since.get_or_insert_with(Instant::now);
            remembered.ids.insert(id);
        }
    }

    /// Leaves those that are worth asking for.
    pub(super) fn remove_from(&self, ids: &mut Vec<EventId>) {
        let remembered = self.0.lock();
        if remembered.since.is_some_and(|since| since.elapsed() <= REMEMBERED) {
            ids.retain(|id| !remembered.ids.contains(id));
        }
    }
}
