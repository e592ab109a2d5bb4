//! Names that subscribers choose for themselves, one each: those that `orlyacl.v1` knows too.

use acl::ClaimError;
use tonic::{Code, Status};

use super::Database;
use super::failure::{Failure, OrFail};
use super::paid_subscriptions::pubkey;
use crate::proto::orlydb::v1 as proto;

const CLAIM: &str = "claim alias";
const BY_PUBKEY: &str = "get alias by pubkey";
const BY_ALIAS: &str = "get pubkey by alias";
const TAKEN: &str = "is alias taken";

impl Database {
    pub(super) async fn claim_alias(
        &self,
        request: proto::ClaimAliasRequest,
    ) -> Result<proto::Empty, Status> {
        let pubkey = pubkey(&request.pubkey_hex).or_fail(CLAIM)?;
        self.subscriptions.claim(&request.alias, pubkey).await.or_fail(CLAIM)?;
        Ok(proto::Empty {})
    }

    pub(super) async fn get_alias_by_pubkey(
        &self,
        request: proto::GetAliasByPubkeyRequest,
    ) -> Result<proto::AliasResponse, Status> {
        let pubkey = pubkey(&request.pubkey_hex).or_fail(BY_PUBKEY)?;
        let alias = self.subscriptions.alias_of(pubkey).await.or_fail(BY_PUBKEY)?;
        Ok(proto::AliasResponse { alias: alias.unwrap_or_default() })
    }

    pub(super) async fn get_pubkey_by_alias(
        &self,
        request: proto::GetPubkeyByAliasRequest,
    ) -> Result<proto::PubkeyResponse, Status> {
        let holder = self.subscriptions.holder_of(&request.alias).await.or_fail(BY_ALIAS)?;
        let pubkey_hex = holder.map(|holder| holder.to_string()).unwrap_or_default();
        Ok(proto::PubkeyResponse { pubkey_hex })
    }

    pub(super) async fn is_alias_taken(
        &self,
        request: proto::IsAliasTakenRequest,
    ) -> Result<proto::IsAliasTakenResponse, Status> {
        let holder = self.subscriptions.holder_of(&request.alias).await.or_fail(TAKEN)?;
        Ok(proto::IsAliasTakenResponse { taken: holder.is_some() })
    }
}

impl Failure for ClaimError {
    fn answer(self, operation: &str) -> (Code, String) {
        match self {
            Self::Taken(alias) => (Code::AlreadyExists, format!("alias \"{alias}\" is taken")),
            Self::Invalid(text) => (Code::InvalidArgument, format!("invalid: {text}")),
            Self::Store(error) => error.answer(operation),
        }
    }
}
