//! Subscriptions by invoice: those that `orlyacl.v1` knows too.

use acl::Subscription;
use event::{Pubkey, Timestamp};
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const SAVE: &str = "save paid subscription";
const GET: &str = "get paid subscription";
const DELETE: &str = "delete paid subscription";
const LIST: &str = "list paid subscriptions";

impl Database {
    pub(super) async fn save_paid_subscription(
        &self,
        request: proto::PaidSubscriptionMsg,
    ) -> Result<proto::Empty, Status> {
        let time = |secs: i64| Timestamp::from_secs(u64::try_from(secs).unwrap_or_default());
        let subscription = Subscription {
            pubkey: pubkey(&request.pubkey_hex).or_fail(SAVE)?,
            expires_at: time(request.expires_at),
            created_at: time(request.created_at),
            invoice_hash: request.invoice_hash,
            alias: request.alias,
        };
        self.subscriptions.save(&subscription).await.or_fail(SAVE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_paid_subscription(
        &self,
        request: proto::GetPaidSubscriptionRequest,
    ) -> Result<proto::PaidSubscriptionMsg, Status> {
        let pubkey = pubkey(&request.pubkey_hex).or_fail(GET)?;
        let found = self.subscriptions.of(pubkey).await.or_fail(GET)?;
        let absent = || failed(GET, Code::NotFound, format!("{pubkey} has no paid subscription"));
        found.map(Into::into).ok_or_else(absent)
    }

    pub(super) async fn delete_paid_subscription(
        &self,
        request: proto::DeletePaidSubscriptionRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey_hex).or_fail(DELETE)?;
        self.subscriptions.unsubscribe(pubkey).await.or_fail(DELETE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn list_paid_subscriptions(
        &self,
        _: proto::Empty,
    ) -> Result<proto::PaidSubscriptionList, Status> {
        let found = self.subscriptions.all().await.or_fail(LIST)?;
        let subscriptions = found.into_iter().map(Into::into).collect();
        Ok(proto::PaidSubscriptionList { subscriptions })
    }
}

impl From<Subscription> for proto::PaidSubscriptionMsg {
    fn from(subscription: Subscription) -> Self {
        let seconds = |at: Timestamp| i64::try_from(at.as_secs()).unwrap_or(i64::MAX);
        Self {
            pubkey_hex: subscription.pubkey.to_string(),
            alias: subscription.alias,
            expires_at: seconds(subscription.expires_at),
            created_at: seconds(subscription.created_at),
            invoice_hash: subscription.invoice_hash,
        }
    }
}

/// A pubkey of 64 hex digits, in any case.
pub(super) fn pubkey(text: &str) -> Result<Pubkey, Malformed> {
    let pubkey = Pubkey::from_hex(text.to_ascii_lowercase().as_bytes());
    pubkey.map_err(|_| Malformed::new("pubkey_hex", "expected 64 hex digits"))
}
