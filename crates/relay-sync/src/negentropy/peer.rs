//! One synchronisation with another relay, as the side that begins it (NIP-77).
//!
//! Reconciling and fetching what we lack run side by side on one connection; then what the peer lacks is
//! published. The queues between them are bounded, so a slow store slows the relay
//! down instead of losing events. Nothing is stored that was not asked for and verified.

mod asking;
mod down;
mod options;
mod policy;
mod report;
mod saving;
mod seen;
mod tally;
mod time_range;
mod up;

use std::time::Instant;

use event::{EventId, Filter, Kind};
use parking_lot::Mutex;
use relay_client::{ClientError, Connection, PeerUrl};
use store::{EventStore, Markers, ReconcileError, ReconcileStore, StoreError};
use tokio::sync::{mpsc, oneshot};

pub use options::{Direction, InvalidDirection, PrivateKinds, SyncOptions};
pub use policy::{Admission, Fruitless};
pub use report::{Reasons, SyncReport};
pub use tally::SyncProgress;

use seen::Seen;
use tally::Tally;

/// Ids that wait to be fetched or published; reconciling waits while there are as many.
const BACKLOG: usize = 20_000;

/// What a synchronisation needs of a store.
pub trait SyncStore: EventStore + ReconcileStore + Markers {}

impl<S: EventStore + ReconcileStore + Markers> SyncStore for S {}

/// A synchronisation that did not come to its end.
#[derive(Debug, thiserror::Error)]
#[error("synchronise with {peer}")]
pub struct SyncError {
    /// The other relay.
    pub peer: PeerUrl,
    /// Why.
    #[source]
    pub failure: SyncFailure,
    /// What was done until then.
    pub report: Box<SyncReport>,
}

/// Why a synchronisation ended early.
#[derive(Debug, thiserror::Error)]
pub enum SyncFailure {
    /// The other relay.
    #[error(transparent)]
    Peer(#[from] ClientError),
    /// Our own set has to be gathered and is too large, even for a single second.
    #[error("our own set has to be gathered and has more than {max} events in one second")]
    OwnSetTooLarge {
        /// How many are allowed.
        max: u64,
    },
    /// The other relay names events and does not give them.
    #[error("the relay names events that it does not give: {missing} so far")]
    Withheld {
        /// How many were asked for in vain.
        missing: u64,
    },
    /// The event store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SyncError {
    /// Why, with all causes, and what to do about it: one line.
    pub fn describe(&self) -> String {
        let first = &self.failure as &dyn std::error::Error;
        let causes = std::iter::successors(Some(first), |error| error.source());
        let chain: Vec<String> = causes.map(ToString::to_string).collect();
        let advice = self.failure.advice().map_or_else(String::new, |advice| format!("; {advice}"));
        format!("{}{advice}", chain.join(": "))
    }
}

impl SyncFailure {
    /// What an operator can do about it.
    pub fn advice(&self) -> Option<&'static str> {
        let Self::Peer(error) = self else { return None };
        match error {
            ClientError::Connect { .. } => {
                Some("check the URL, and whether the relay can be reached from here")
            }
            ClientError::NoNegentropy { .. } => Some(
                "its operator can enable NIP-77, or the other relay can begin the synchronisation",
            ),
            ClientError::TooLarge { .. } => Some("narrow the filter"),
            ClientError::AuthRequired { .. } => Some("give a key the relay knows"),
            ClientError::TimedOut { .. } => {
                Some("the relay is overloaded or stuck; allow it more time")
            }
            ClientError::Refused { .. }
            | ClientError::Closed { .. }
            | ClientError::Protocol { .. } => None,
        }
    }
}

impl From<ReconcileError> for SyncFailure {
    fn from(error: ReconcileError) -> Self {
        match error {
            ReconcileError::TooLarge { max } => Self::OwnSetTooLarge { max },
            ReconcileError::Protocol(violation) => Self::Peer(ClientError::Protocol { violation }),
            ReconcileError::Store(error) => Self::Store(error),
        }
    }
}

/// Synchronises the store with a relay.
///
/// `progress` hears of each step, on the runtime: it should be quick.
pub async fn sync_with(
    peer: &PeerUrl,
    store: &dyn SyncStore,
    options: &SyncOptions,
    progress: impl FnMut(SyncProgress<'_>, &SyncReport) + Send,
) -> Result<SyncReport, SyncError> {
    let mut progress = progress;
    let started = Instant::now();
    let tally = Tally::new(&mut progress);
    // All that goes on in it is large to carry about.
    let result = Box::pin(synchronise(peer, store, options, &tally)).await;
    let mut report = tally.into_report();
    report.duration = started.elapsed();
    match result {
        Ok(()) => Ok(report),
        Err(failure) => Err(SyncError { peer: peer.clone(), failure, report: Box::new(report) }),
    }
}

async fn synchronise(
    peer: &PeerUrl,
    store: &dyn SyncStore,
    options: &SyncOptions,
    tally: &Tally<'_>,
) -> Result<(), SyncFailure> {
    let connection = Connection::open(peer, &options.client).await?;
    let sync = Sync {
        connection: &connection,
        store,
        options,
        tally,
        seen: Seen::default(),
        refused: Mutex::default(),
    };
    let mut result = Ok(());
    for filter in phases(&options.filter, options.direction) {
        result = sync.run(&filter).await;
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = sync.forgive().await;
    }
    tally.traffic(connection.traffic());
    if result.is_ok() {
        connection.close().await;
    }
    result
}

/// What to synchronise one after the other: deletions come first, so that what they delete is neither
/// fetched nor published.
fn phases(filter: &Filter, direction: Direction) -> Vec<Filter> {
    let all = Filter { limit: None, ..filter.clone() };
    let deletions = [Kind::DELETION, Kind::VANISH];
    let is_asked = |kind: &Kind| all.kinds.as_ref().is_none_or(|kinds| kinds.contains(kind));
    let asked: Vec<Kind> = deletions.into_iter().filter(is_asked).collect();
    let is_more_asked = all.kinds.as_ref().is_none_or(|kinds| kinds.len() > asked.len());
    if asked.is_empty() || !is_more_asked || all.ids.is_some() || direction == Direction::None {
        return vec![all];
    }
    vec![Filter { kinds: Some(asked), ..all.clone() }, all]
}

/// A synchronisation under way.
struct Sync<'a, 't> {
    connection: &'a Connection,
    store: &'a dyn SyncStore,
    options: &'a SyncOptions,
    tally: &'a Tally<'t>,
    seen: Seen,
    /// Ids the peer refused, and why.
    refused: Mutex<Vec<(EventId, String)>>,
}

impl Sync<'_, '_> {
    /// Synchronises what matches one filter.
    async fn run(&self, filter: &Filter) -> Result<(), SyncFailure> {
        let (needs, wanted) = mpsc::channel(BACKLOG);
        let (haves, offered) = mpsc::channel(BACKLOG);
        let direction = self.options.direction;
        let queues = Queues {
            needs: direction.fetches().then_some(needs),
            haves: direction.publishes().then_some(haves),
        };
        let (still_fetching, all_fetched) = oneshot::channel();
        let fetch = async {
            let result = self.fetch(wanted).await;
            drop(still_fetching);
            result
        };
        // Each ends when the queue before it does, so a failure ends them all.
        let (asked, fetched, published) =
            tokio::join!(self.ask(filter, queues), fetch, self.publish(offered, all_fetched));
        fetched.and(published).and(asked)
    }
}

/// Where what was learnt goes to.
struct Queues {
    needs: Option<mpsc::Sender<EventId>>,
    haves: Option<mpsc::Sender<EventId>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, direction: Direction, expected: &[&str]) {
        let found = phases(&filter.parse().unwrap(), direction);
        let found: Vec<String> = found.iter().map(Filter::to_json).collect();
        assert_eq!(found, expected, "{filter}");
    }

    #[test]
    fn deletions_come_first_where_they_are_asked_for() {
        check("{}", Direction::Both, &[r#"{"kinds":[5,62]}"#, "{}"]);
        check(
            r#"{"kinds":[1,5],"since":3,"limit":9}"#,
            Direction::Down,
            &[r#"{"kinds":[5],"since":3}"#, r#"{"kinds":[1,5],"since":3}"#],
        );
        check(r#"{"kinds":[1]}"#, Direction::Both, &[r#"{"kinds":[1]}"#]);
        check(r#"{"kinds":[5]}"#, Direction::Both, &[r#"{"kinds":[5]}"#]);
        check("{}", Direction::None, &["{}"]);
    }
}
