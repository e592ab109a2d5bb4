//! Who may use a relay that wants to be paid, and how much they may store on it.

use event::{Pubkey, Timestamp};
use store::StoreError;
use tonic::Status;

use super::Database;
use super::failure::OrFail;
use crate::Malformed;
use crate::convert::fixed;
use crate::proto::orlydb::v1 as proto;

const GET: &str = "get subscription";
const ACTIVE: &str = "is subscription active";
const EXTEND: &str = "extend subscription";
const EXTEND_BLOSSOM: &str = "extend blossom subscription";
const QUOTA: &str = "get blossom storage quota";
const FIRST: &str = "is first time user";
const DAY: i64 = 24 * 60 * 60;
/// How long somebody may use the relay before they pay.
const TRIAL: i64 = 30 * DAY;
/// How many days one payment may buy.
const MOST_DAYS: i32 = 36_500;
/// How long the name of a tier may be.
const TIER_BYTES: usize = 256;

impl Database {
    pub(super) async fn get_subscription(
        &self,
        request: proto::GetSubscriptionRequest,
    ) -> Result<proto::Subscription, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(GET)?;
        let found = self.records.subscriptions.get(&pubkey.to_string()).await.or_fail(GET)?;
        Ok(found.unwrap_or_else(|| new(&pubkey)))
    }

    pub(super) async fn is_subscription_active(
        &self,
        request: proto::IsSubscriptionActiveRequest,
    ) -> Result<proto::IsSubscriptionActiveResponse, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(ACTIVE)?;
        let _editing = self.editing.lock().await;
        let subscriptions = &self.records.subscriptions;
        let name = pubkey.to_string();
        let active = match subscriptions.get(&name).await.or_fail(ACTIVE)? {
            Some(subscription) => is_active(&subscription, seconds_now()),
            None => {
                let trial_end = seconds_now() + TRIAL;
                let trial = proto::Subscription { trial_end, ..new(&pubkey) };
                subscriptions.put(&name, &trial).await.or_fail(ACTIVE)?;
                true
            }
        };
        Ok(proto::IsSubscriptionActiveResponse { active })
    }

    pub(super) async fn extend_subscription(
        &self,
        request: proto::ExtendSubscriptionRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(EXTEND)?;
        let added = days("days", request.days).or_fail(EXTEND)?;
        let extended = self.extend(&pubkey, added, |_| ()).await;
        extended.or_fail(EXTEND)
    }

    pub(super) async fn extend_blossom_subscription(
        &self,
        request: proto::ExtendBlossomSubscriptionRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(EXTEND_BLOSSOM)?;
        let added = days("days_extended", request.days_extended).or_fail(EXTEND_BLOSSOM)?;
        if request.storage_mb < 0 {
            let reason = format!("{} is negative", request.storage_mb);
            return Err(Malformed::new("storage_mb", reason)).or_fail(EXTEND_BLOSSOM);
        }
        if request.tier.len() > TIER_BYTES {
            let reason = format!("more than {TIER_BYTES} bytes");
            return Err(Malformed::new("tier", reason)).or_fail(EXTEND_BLOSSOM);
        }
        let extended = self.extend(&pubkey, added, |subscription| {
            subscription.blossom_level = request.tier;
            subscription.blossom_storage_mb = request.storage_mb;
        });
        extended.await.or_fail(EXTEND_BLOSSOM)
    }

    /// Adds paid time behind what is paid for already.
    async fn extend(
        &self,
        pubkey: &Pubkey,
        added: i64,
        change: impl FnOnce(&mut proto::Subscription) + Send,
    ) -> Result<proto::Empty, StoreError> {
        let _editing = self.editing.lock().await;
        let name = pubkey.to_string();
        let found = self.records.subscriptions.get(&name).await?;
        let mut subscription = found.unwrap_or_else(|| new(pubkey));
        let start = subscription.paid_until.max(seconds_now());
        subscription.paid_until = start.saturating_add(added);
        change(&mut subscription);
        self.records.subscriptions.put(&name, &subscription).await?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_blossom_storage_quota(
        &self,
        request: proto::GetBlossomStorageQuotaRequest,
    ) -> Result<proto::GetBlossomStorageQuotaResponse, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(QUOTA)?;
        let found = self.records.subscriptions.get(&pubkey.to_string()).await.or_fail(QUOTA)?;
        let paid = found.filter(|subscription| subscription.paid_until > seconds_now());
        let quota_mb = paid.map_or(0, |subscription| subscription.blossom_storage_mb);
        Ok(proto::GetBlossomStorageQuotaResponse { quota_mb })
    }

    pub(super) async fn is_first_time_user(
        &self,
        request: proto::IsFirstTimeUserRequest,
    ) -> Result<proto::IsFirstTimeUserResponse, Status> {
        let name = pubkey(&request.pubkey).or_fail(FIRST)?.to_string();
        let _editing = self.editing.lock().await;
        let first_time = self.records.first_logins.get(&name).await.or_fail(FIRST)?.is_none();
        if first_time {
            let now = proto::Uint40 { value: Timestamp::now().as_secs() };
            self.records.first_logins.put(&name, &now).await.or_fail(FIRST)?;
        }
        Ok(proto::IsFirstTimeUserResponse { first_time })
    }
}

/// A pubkey off the wire.
pub(super) fn pubkey(bytes: &[u8]) -> Result<Pubkey, Malformed> {
    fixed("pubkey", bytes).map(Pubkey::new)
}

/// The present, as records have it.
pub(super) fn seconds_now() -> i64 {
    i64::try_from(Timestamp::now().as_secs()).unwrap_or(i64::MAX)
}

fn is_active(subscription: &proto::Subscription, now: i64) -> bool {
    now < subscription.trial_end || now < subscription.paid_until
}

fn new(pubkey: &Pubkey) -> proto::Subscription {
    proto::Subscription { pubkey: pubkey.as_bytes().to_vec().into(), ..Default::default() }
}

/// Days as seconds.
fn days(field: &'static str, days: i32) -> Result<i64, Malformed> {
    if (1..=MOST_DAYS).contains(&days) {
        return Ok(i64::from(days) * DAY);
    }
    Err(Malformed::new(field, format!("{days} is not between 1 and {MOST_DAYS}")))
}
