//! Reconciliation on behalf of a client (NIP-77): who may ask for what, and who answers.

use event::{Filter, Rejection, RelayMessage, SubscriptionId};
use relay_sync::{NegentropyRefusal, SessionKey};
use store::Query;

use super::Session;

impl Session {
    pub(super) async fn neg_open(
        &mut self,
        sub: &SubscriptionId,
        filter: Filter,
        message: Vec<u8>,
    ) {
        let filters = vec![filter];
        let checked = self.check_set(&filters).await;
        let result = match (&self.relay.reconciler, checked) {
            (None, _) => Err(not_enabled()),
            (Some(reconciler), Err(rejection)) => {
                reconciler.close(&self.session_key(sub)).await;
                Err(NegentropyRefusal::new(rejection.to_string()))
            }
            (Some(reconciler), Ok(())) => {
                let query = Query { filters, viewer: self.viewer.clone() };
                reconciler.open(self.session_key(sub), query, message).await
            }
        };
        self.send_negentropy(sub, result);
    }

    pub(super) async fn neg_msg(&mut self, sub: &SubscriptionId, message: Vec<u8>) {
        let result = match &self.relay.reconciler {
            Some(reconciler) => reconciler.message(&self.session_key(sub), message).await,
            None => Err(not_enabled()),
        };
        self.send_negentropy(sub, result);
    }

    pub(super) async fn neg_close(&mut self, sub: &SubscriptionId) {
        if let Some(reconciler) = &self.relay.reconciler {
            reconciler.close(&self.session_key(sub)).await;
        }
    }

    async fn check_set(&mut self, filters: &[Filter]) -> Result<(), Rejection> {
        self.check_filters(filters)?;
        self.check_read(filters).await?;
        self.check_private(filters)
    }

    fn session_key(&self, sub: &SubscriptionId) -> SessionKey {
        SessionKey { connection: self.number.into(), sub: sub.clone() }
    }

    fn send_negentropy(
        &mut self,
        sub: &SubscriptionId,
        result: Result<Vec<u8>, NegentropyRefusal>,
    ) {
        match result {
            Ok(message) => self.send(RelayMessage::NegMsg { sub, message: &message }),
            Err(refusal) => {
                let (reason, max) = (&*refusal.reason, refusal.max_records);
                self.send(RelayMessage::NegErr { sub, reason, max });
            }
        }
    }
}

fn not_enabled() -> NegentropyRefusal {
    NegentropyRefusal::new("blocked: NIP-77 is not enabled on this relay")
}
