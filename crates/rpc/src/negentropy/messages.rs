//! Between the messages of the wire and the words of `relay_sync`.

use event::{SubscriptionId, Timestamp, unescaped};
use relay_client::PeerUrl;
use relay_sync::{Activity, ConnectionId, PeerStatus, SessionKey, SessionStatus, SyncReport};
use store::StoreError;
use tonic::Status;

use crate::convert::Malformed;
use crate::proto::orlysync::negentropy::v1 as proto;

/// How long the name of a connection may be; the original's is an address and a time.
const MAX_CONNECTION_CHARS: usize = 256;
/// How long the address of a peer may be.
const MAX_URL_CHARS: usize = 1024;

/// The name of a session.
pub(super) fn session_key(connection: String, sub: &str) -> Result<SessionKey, Malformed> {
    if !(1..=MAX_CONNECTION_CHARS).contains(&connection.len()) {
        let reason = format!("expected 1 to {MAX_CONNECTION_CHARS} bytes");
        return Err(Malformed::new("connection_id", reason));
    }
    Ok(SessionKey { connection: connection.into(), sub: subscription(sub)? })
}

/// A client's name for a session.
pub(super) fn subscription(sub: &str) -> Result<SubscriptionId, Malformed> {
    SubscriptionId::new(sub).ok_or_else(|| {
        let reason = format!("expected 1 to {} characters", SubscriptionId::MAX_CHARS);
        Malformed::new("subscription_id", reason)
    })
}

/// A client's name for a session as the wire has it.
pub(super) fn subscription_text(sub: &SubscriptionId) -> String {
    unescaped(sub.as_raw()).into_owned()
}

/// A connection as the wire has it.
pub(super) fn connection_text(connection: &ConnectionId) -> String {
    connection.as_str().to_owned()
}

/// The address of a peer.
pub(super) fn peer_url(text: &str) -> Result<PeerUrl, Malformed> {
    let url = (text.len() <= MAX_URL_CHARS).then(|| text.parse().ok()).flatten();
    url.ok_or_else(|| {
        let shown: String = text.chars().take(100).collect();
        let expected =
            "expected the address of a relay, ws:// or wss://, such as wss://relay.example.com";
        Malformed::new("peer_url", format!("{shown:?}: {expected}"))
    })
}

/// A number as the wire has it.
pub(super) fn count(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Numbers of a synchronisation so far.
pub(super) fn progress(peer: &PeerUrl, report: &SyncReport) -> proto::SyncProgress {
    proto::SyncProgress {
        peer_url: peer.to_string(),
        round: report.rounds.try_into().unwrap_or(i32::MAX),
        have_count: count(report.have),
        need_count: count(report.need),
        fetched_count: count(report.fetched),
        sent_count: count(report.sent),
        complete: false,
        error: String::new(),
    }
}

impl From<PeerStatus> for proto::PeerSyncState {
    fn from(status: PeerStatus) -> Self {
        let activity = match status.activity {
            Activity::Idle => "idle",
            Activity::Syncing => "syncing",
            Activity::Error => "error",
        };
        Self {
            peer_url: status.url.to_string(),
            last_sync: status.last_sync.map_or(0, |time| count(time.as_secs())),
            events_synced: count(status.events_synced),
            status: activity.into(),
            last_error: status.last_error.unwrap_or_default(),
            consecutive_failures: status.consecutive_failures.try_into().unwrap_or(i32::MAX),
        }
    }
}

impl From<SessionStatus> for proto::ClientSession {
    fn from(SessionStatus { key, age, silence, rounds }: SessionStatus) -> Self {
        let now = Timestamp::now().as_secs();
        Self {
            subscription_id: subscription_text(&key.sub),
            connection_id: connection_text(&key.connection),
            created_at: count(now.saturating_sub(age.as_secs())),
            last_activity: count(now.saturating_sub(silence.as_secs())),
            // The message that opens a session is no round of the original.
            round_count: rounds.saturating_sub(1).try_into().unwrap_or(i32::MAX),
        }
    }
}

/// What a caller is told of a store that failed.
pub(super) fn store_failed(error: &StoreError) -> Status {
    match error {
        StoreError::Unavailable(_) => {
            Status::unavailable("the event store is away, try again shortly")
        }
        StoreError::ReadOnly(reason) => {
            Status::failed_precondition(format!("the event store is read-only: {reason}"))
        }
        StoreError::Invalid(reason) => Status::invalid_argument(reason.clone()),
        StoreError::Internal(_) => {
            tracing::error!(error = error as &dyn std::error::Error, "use the event store");
            Status::internal("the event store failed, see the log of the service")
        }
    }
}
