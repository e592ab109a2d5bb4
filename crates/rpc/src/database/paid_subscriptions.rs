//! Subscriptions by invoice, as the mode `paid` of access control keeps them.

use event::Pubkey;
use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const SAVE: &str = "save paid subscription";
const GET: &str = "get paid subscription";
const DELETE: &str = "delete paid subscription";
const LIST: &str = "list paid subscriptions";
/// How long an alias or the hash of an invoice may be.
const TEXT_BYTES: usize = 256;

impl Database {
    pub(super) async fn save_paid_subscription(
        &self,
        request: proto::PaidSubscriptionMsg,
    ) -> Result<proto::Empty, Status> {
        let pubkey_hex = pubkey_hex(&request.pubkey_hex).or_fail(SAVE)?;
        for (field, text) in [("alias", &request.alias), ("invoice_hash", &request.invoice_hash)] {
            if text.len() > TEXT_BYTES {
                let reason = format!("more than {TEXT_BYTES} bytes");
                return Err(Malformed::new(field, reason)).or_fail(SAVE);
            }
        }
        let record = proto::PaidSubscriptionMsg { pubkey_hex: pubkey_hex.clone(), ..request };
        self.records.paid.put(&pubkey_hex, &record).await.or_fail(SAVE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_paid_subscription(
        &self,
        request: proto::GetPaidSubscriptionRequest,
    ) -> Result<proto::PaidSubscriptionMsg, Status> {
        let pubkey = pubkey_hex(&request.pubkey_hex).or_fail(GET)?;
        let found = self.records.paid.get(&pubkey).await.or_fail(GET)?;
        let absent = || failed(GET, Code::NotFound, format!("{pubkey} has no paid subscription"));
        found.ok_or_else(absent)
    }

    pub(super) async fn delete_paid_subscription(
        &self,
        request: proto::DeletePaidSubscriptionRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey_hex(&request.pubkey_hex).or_fail(DELETE)?;
        self.records.paid.remove(&pubkey).await.or_fail(DELETE)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn list_paid_subscriptions(
        &self,
        _: proto::Empty,
    ) -> Result<proto::PaidSubscriptionList, Status> {
        let found = self.records.paid.list("").await.or_fail(LIST)?;
        let subscriptions = found.into_iter().map(|(_, subscription)| subscription).collect();
        Ok(proto::PaidSubscriptionList { subscriptions })
    }
}

/// A pubkey as 64 hex digits, in lower case.
pub(super) fn pubkey_hex(text: &str) -> Result<String, Malformed> {
    let text = text.to_ascii_lowercase();
    match Pubkey::from_hex(text.as_bytes()) {
        Ok(_) => Ok(text),
        Err(_) => Err(Malformed::new("pubkey_hex", "expected 64 hex digits")),
    }
}
