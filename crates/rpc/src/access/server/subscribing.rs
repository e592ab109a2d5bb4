//! Subscriptions and aliases, which `orlydb.v1` knows too.

use event::Timestamp;
use tonic::Status;

use super::AclServer;
use crate::access::entries::{pubkey, seconds, timestamp};
use crate::access::failure::{malformed, of_claim, to_status};
use crate::proto::orlyacl::v1 as proto;

impl AclServer {
    pub(super) async fn subscribe_pubkey(
        &self,
        request: proto::SubscribeRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        // A name that is taken must not cost a subscription.
        if !request.alias.is_empty() {
            self.subscriptions.claim(&request.alias, pubkey).await.map_err(of_claim)?;
        }
        let expires_at = timestamp(request.expires_at);
        let subscribed =
            self.subscriptions.subscribe(pubkey, expires_at, &request.invoice_hash).await;
        subscribed.map_err(of_claim)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn unsubscribe_pubkey(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        self.subscriptions.unsubscribe(pubkey).await.map_err(to_status)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn is_subscribed(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::BoolResponse, Status> {
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        let value = self.subscriptions.is_subscribed(pubkey, Timestamp::now()).await;
        Ok(proto::BoolResponse { value: value.map_err(to_status)? })
    }

    pub(super) async fn get_subscription(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::SubscriptionResponse, Status> {
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        let found = self.subscriptions.of(pubkey).await.map_err(to_status)?;
        let found = found.ok_or_else(|| Status::not_found("no subscription of this pubkey"))?;
        let claimed = self.subscriptions.alias_of(pubkey).await.map_err(to_status)?;
        let alias = claimed.unwrap_or(found.alias);
        Ok(proto::SubscriptionResponse {
            pubkey: pubkey.to_string(),
            expires_at: seconds(found.expires_at),
            created_at: seconds(found.created_at),
            has_alias: !alias.is_empty(),
            aliases: Some(alias.clone()).into_iter().filter(|alias| !alias.is_empty()).collect(),
            alias,
        })
    }

    pub(super) async fn claim_alias(
        &self,
        request: proto::ClaimAliasRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        self.subscriptions.claim(&request.alias, pubkey).await.map_err(of_claim)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_alias_by_pubkey(
        &self,
        request: proto::PubkeyRequest,
    ) -> Result<proto::AliasResponse, Status> {
        let pubkey = pubkey("pubkey", &request.pubkey).map_err(malformed)?;
        let alias = self.subscriptions.alias_of(pubkey).await.map_err(to_status)?;
        Ok(proto::AliasResponse { alias: alias.unwrap_or_default() })
    }

    pub(super) async fn get_pubkey_by_alias(
        &self,
        request: proto::AliasRequest,
    ) -> Result<proto::PubkeyResponse, Status> {
        let holder = self.subscriptions.holder_of(&request.alias).await;
        let pubkey = holder.map_err(of_claim)?.map(|holder| holder.to_string());
        Ok(proto::PubkeyResponse { pubkey: pubkey.unwrap_or_default() })
    }

    pub(super) async fn is_alias_taken(
        &self,
        request: proto::AliasRequest,
    ) -> Result<proto::BoolResponse, Status> {
        let holder = self.subscriptions.holder_of(&request.alias).await;
        let value = holder.map_err(of_claim)?.is_some();
        Ok(proto::BoolResponse { value })
    }
}
