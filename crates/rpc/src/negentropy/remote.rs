//! The relay's side: sessions of its clients are answered by a service.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use event::{Prefix, SubscriptionId};
use parking_lot::Mutex;
use relay_sync::{ConnectionId, NegentropyRefusal, Reconciler, SessionKey};
use store::Query;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

use super::messages::subscription_text;
use super::metadata;
use crate::Address;
use crate::connect::MESSAGE_LIMIT;
use crate::proto::orlysync::common::v1::Empty;
use crate::proto::orlysync::negentropy::v1 as proto;
use proto::negentropy_service_client::NegentropyServiceClient;

/// How often the service is asked whether it is ready.
const ASK_INTERVAL: Duration = Duration::from_secs(1);
/// The same while it is not.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);
/// How long it may take to say so, or to close a session.
const SHORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of a reason is passed on.
const MAX_REASON_CHARS: usize = 500;

/// A [`Reconciler`] that asks `orlysync.negentropy.v1.NegentropyService`, ours or the original's.
pub struct RemoteReconciler {
    client: NegentropyServiceClient<Channel>,
    address: Address,
    answer_timeout: Duration,
    /// Goes before connections, so that those of other relays and of earlier runs are told apart.
    instance: String,
    is_ready: AtomicBool,
    /// Told when a call found the service away.
    is_away: Notify,
    is_viewer_heeded: AtomicBool,
    /// Sessions that may be open, to be closed with their connections.
    open: Mutex<HashMap<ConnectionId, HashSet<SubscriptionId>>>,
}

impl RemoteReconciler {
    /// Asks the service at `address`, which may take `answer_timeout` for an answer. Not ready until
    /// [`run`](Self::run) finds that the service is.
    pub fn new(address: &Address, answer_timeout: Duration) -> Self {
        let client = NegentropyServiceClient::new(address.connect())
            .max_decoding_message_size(MESSAGE_LIMIT)
            .max_encoding_message_size(MESSAGE_LIMIT);
        Self {
            client,
            address: address.clone(),
            answer_timeout,
            instance: format!("{:016x}", rand::random::<u64>()),
            is_ready: AtomicBool::new(false),
            is_away: Notify::new(),
            is_viewer_heeded: AtomicBool::new(true),
            open: Mutex::default(),
        }
    }

    /// Follows whether the service is ready, until `shutdown`.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) {
        let follow = async {
            loop {
                let is_ready = self.ask_ready().await;
                self.note(is_ready);
                let interval = if is_ready { ASK_INTERVAL } else { RETRY_INTERVAL };
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    () = self.is_away.notified() => {}
                }
            }
        };
        shutdown.run_until_cancelled(follow).await;
    }

    async fn ask_ready(&self) -> bool {
        let mut client = self.client.clone();
        let asked = tokio::time::timeout(SHORT_TIMEOUT, client.ready(Empty {})).await;
        matches!(asked, Ok(Ok(response)) if response.get_ref().ready)
    }

    fn note(&self, is_ready: bool) {
        let was_ready = self.is_ready.swap(is_ready, Ordering::Relaxed);
        if is_ready && !was_ready {
            tracing::info!(target: "negentropy", address = %self.address, "reconciliation service is ready");
        } else if was_ready && !is_ready {
            tracing::warn!(target: "negentropy", address = %self.address, "reconciliation service is away: clients are told so until it returns");
        }
    }

    /// What a client is told of a call that failed.
    fn failed(&self, status: &Status) -> NegentropyRefusal {
        let reason = match status.code() {
            Code::Unavailable => {
                self.note(false);
                self.is_away.notify_one();
                "error: the reconciliation service is away, try again shortly"
            }
            Code::DeadlineExceeded | Code::Cancelled => {
                "error: the reconciliation service takes too long"
            }
            _ => {
                tracing::error!(target: "negentropy", address = %self.address, %status, "ask the reconciliation service");
                "error: internal"
            }
        };
        NegentropyRefusal::new(reason)
    }

    fn connection_id(&self, connection: &ConnectionId) -> String {
        format!("{}-{}", self.instance, connection.as_str())
    }

    /// A request that may take as long as an answer.
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.answer_timeout);
        request
    }

    /// Says once that a service does not know who reads.
    fn check_viewer(&self, metadata: &MetadataMap) {
        let is_heeded = metadata::is_viewer_heeded(metadata);
        if self.is_viewer_heeded.swap(is_heeded, Ordering::Relaxed) && !is_heeded {
            tracing::warn!(target: "negentropy", address = %self.address, "reconciliation service does not heed who reads: it names private messages to anybody");
        }
    }

    fn remember(&self, key: &SessionKey) {
        self.open.lock().entry(key.connection.clone()).or_default().insert(key.sub.clone());
    }

    /// Whether the session may have been open.
    fn forget(&self, key: &SessionKey) -> bool {
        let mut open = self.open.lock();
        let Some(subs) = open.get_mut(&key.connection) else { return false };
        let was_open = subs.remove(&key.sub);
        if subs.is_empty() {
            open.remove(&key.connection);
        }
        was_open
    }

    async fn close_session(&self, key: &SessionKey) {
        let request = proto::NegCloseRequest {
            subscription_id: subscription_text(&key.sub),
            connection_id: self.connection_id(&key.connection),
        };
        let mut client = self.client.clone();
        let closed = tokio::time::timeout(SHORT_TIMEOUT, client.handle_neg_close(request)).await;
        if !matches!(closed, Ok(Ok(_))) {
            tracing::debug!(target: "negentropy", ?key, "a session was not closed: it ends by its silence");
        }
    }

    /// The answer of a service, or why there is none.
    fn heard(
        &self,
        key: &SessionKey,
        answered: Result<(MetadataMap, Vec<u8>, String), Status>,
    ) -> Result<Vec<u8>, NegentropyRefusal> {
        let refusal = match answered {
            Ok((_, message, reason)) if reason.is_empty() => return Ok(message),
            Ok((metadata, _, reason)) => NegentropyRefusal {
                reason: as_reason(&reason),
                max_records: metadata::max_records(&metadata),
            },
            Err(status) => self.failed(&status),
        };
        self.forget(key);
        Err(refusal)
    }
}

#[async_trait]
impl Reconciler for RemoteReconciler {
    fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    async fn open(
        &self,
        key: SessionKey,
        query: Query,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, NegentropyRefusal> {
        let filter = query
            .filters
            .first()
            .ok_or_else(|| NegentropyRefusal::new("invalid: a reconciliation needs a filter"))?;
        let mut request = self.request(proto::NegOpenRequest {
            subscription_id: subscription_text(&key.sub),
            filter: Some(filter.into()),
            initial_message: message.into(),
            connection_id: self.connection_id(&key.connection),
        });
        metadata::put_viewer(request.metadata_mut(), &query.viewer);
        // Whatever becomes of the call, a session may be open.
        self.remember(&key);
        let answered = self.client.clone().handle_neg_open(request).await.map(|response| {
            let (metadata, answer, _) = response.into_parts();
            self.check_viewer(&metadata);
            (metadata, answer.message.into(), answer.error)
        });
        self.heard(&key, answered)
    }

    async fn message(
        &self,
        key: &SessionKey,
        message: Vec<u8>,
    ) -> Result<Vec<u8>, NegentropyRefusal> {
        let request = self.request(proto::NegMsgRequest {
            subscription_id: subscription_text(&key.sub),
            message: message.into(),
            connection_id: self.connection_id(&key.connection),
        });
        let answered = self.client.clone().handle_neg_msg(request).await.map(|response| {
            let (metadata, answer, _) = response.into_parts();
            (metadata, answer.message.into(), answer.error)
        });
        self.heard(key, answered)
    }

    async fn close(&self, key: &SessionKey) {
        if self.forget(key) {
            self.close_session(key).await;
        }
    }

    async fn close_connection(&self, connection: &ConnectionId) {
        let Some(subs) = self.open.lock().remove(connection) else { return };
        let keys = subs.into_iter().map(|sub| SessionKey { connection: connection.clone(), sub });
        let closing = keys.map(|key| async move { self.close_session(&key).await });
        futures_util::future::join_all(closing).await;
    }
}

/// A reason as NIP-77 has it; the original's often lack a prefix.
fn as_reason(text: &str) -> String {
    let text: String = text.chars().take(MAX_REASON_CHARS).collect();
    let word = text.split_once(": ").map_or("", |(word, _)| word);
    let is_known = word == "closed" || PREFIXES.iter().any(|prefix| prefix.as_str() == word);
    if is_known { text } else { format!("error: {text}") }
}

const PREFIXES: [Prefix; 9] = [
    Prefix::Duplicate,
    Prefix::Pow,
    Prefix::Blocked,
    Prefix::RateLimited,
    Prefix::Invalid,
    Prefix::Restricted,
    Prefix::AuthRequired,
    Prefix::Mute,
    Prefix::Error,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_without_a_prefix_get_one() {
        for (heard, told) in [
            ("blocked: too large", "blocked: too large"),
            ("closed: unknown", "closed: unknown"),
            ("session not found", "error: session not found"),
            ("reconcile failed: x", "error: reconcile failed: x"),
        ] {
            assert_eq!(as_reason(heard), told);
        }
        assert_eq!(as_reason(&"é".repeat(9000)).chars().count(), MAX_REASON_CHARS + 7);
    }
}
