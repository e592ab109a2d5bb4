//! What was paid.

use tonic::Status;

use super::Database;
use super::failure::OrFail;
use super::subscriptions::{pubkey, seconds_now};
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const RECORD: &str = "record payment";
const HISTORY: &str = "get payment history";
/// How long an invoice or a preimage may be; a BOLT 11 invoice has some hundred characters.
const TEXT_BYTES: usize = 8 << 10;

impl Database {
    pub(super) async fn record_payment(
        &self,
        request: proto::RecordPaymentRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(RECORD)?;
        check(&request).or_fail(RECORD)?;
        let payment = proto::Payment {
            amount: request.amount,
            timestamp: seconds_now(),
            invoice: request.invoice,
            preimage: request.preimage,
        };
        let _editing = self.editing.lock().await;
        let made = self.records.payments.list(&format!("{pubkey}:")).await.or_fail(RECORD)?;
        // The invoice names the payment: telling of it again changes nothing.
        let is_known = |known: &proto::Payment| {
            !payment.invoice.is_empty() && known.invoice == payment.invoice
        };
        if !made.iter().any(|(_, known)| is_known(known)) {
            let name = format!("{pubkey}:{:010}", made.len());
            self.records.payments.put(&name, &payment).await.or_fail(RECORD)?;
        }
        Ok(proto::Empty {})
    }

    pub(super) async fn get_payment_history(
        &self,
        request: proto::GetPaymentHistoryRequest,
    ) -> Result<proto::PaymentList, Status> {
        let pubkey = pubkey(&request.pubkey).or_fail(HISTORY)?;
        let made = self.records.payments.list(&format!("{pubkey}:")).await.or_fail(HISTORY)?;
        Ok(proto::PaymentList { payments: made.into_iter().map(|(_, payment)| payment).collect() })
    }
}

fn check(request: &proto::RecordPaymentRequest) -> Result<(), Malformed> {
    if request.amount <= 0 {
        return Err(Malformed::new("amount", format!("{} is not positive", request.amount)));
    }
    for (field, text) in [("invoice", &request.invoice), ("preimage", &request.preimage)] {
        if text.len() > TEXT_BYTES {
            return Err(Malformed::new(field, format!("more than {TEXT_BYTES} bytes")));
        }
    }
    Ok(())
}
