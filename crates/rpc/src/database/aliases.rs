//! Names that subscribers choose for themselves, one each.

use tonic::{Code, Status};

use super::Database;
use super::failure::{OrFail, failed};
use super::paid_subscriptions::pubkey_hex;
use super::subscriptions::seconds_now;
use crate::Malformed;
use crate::proto::orlydb::v1 as proto;

const CLAIM: &str = "claim alias";
const BY_PUBKEY: &str = "get alias by pubkey";
const BY_ALIAS: &str = "get pubkey by alias";
const TAKEN: &str = "is alias taken";
const ALIAS_BYTES: usize = 64;

impl Database {
    pub(super) async fn claim_alias(
        &self,
        request: proto::ClaimAliasRequest,
    ) -> Result<proto::Empty, Status> {
        let alias = alias(&request.alias).or_fail(CLAIM)?;
        let pubkey_hex = pubkey_hex(&request.pubkey_hex).or_fail(CLAIM)?;
        let _editing = self.editing.lock().await;
        let aliases = &self.records.aliases;
        match aliases.get(&alias).await.or_fail(CLAIM)? {
            Some(owner) if owner.pubkey_hex != pubkey_hex => {
                let text = format!("alias \"{alias}\" is taken");
                return Err(failed(CLAIM, Code::AlreadyExists, text));
            }
            Some(_) => return Ok(proto::Empty {}),
            None => {}
        }
        let before = aliases.list("").await.or_fail(CLAIM)?;
        let record = proto::PaidSubscriptionMsg {
            pubkey_hex: pubkey_hex.clone(),
            created_at: seconds_now(),
            ..Default::default()
        };
        aliases.put(&alias, &record).await.or_fail(CLAIM)?;
        for (old, _) in before.iter().filter(|(_, owner)| owner.pubkey_hex == pubkey_hex) {
            aliases.remove(old).await.or_fail(CLAIM)?;
        }
        Ok(proto::Empty {})
    }

    pub(super) async fn get_alias_by_pubkey(
        &self,
        request: proto::GetAliasByPubkeyRequest,
    ) -> Result<proto::AliasResponse, Status> {
        let pubkey_hex = pubkey_hex(&request.pubkey_hex).or_fail(BY_PUBKEY)?;
        let all = self.records.aliases.list("").await.or_fail(BY_PUBKEY)?;
        let own = all.into_iter().filter(|(_, owner)| owner.pubkey_hex == pubkey_hex);
        // There are two for a moment while one takes the place of the other.
        let newest = own.max_by_key(|(_, owner)| owner.created_at);
        Ok(proto::AliasResponse { alias: newest.map(|(alias, _)| alias).unwrap_or_default() })
    }

    pub(super) async fn get_pubkey_by_alias(
        &self,
        request: proto::GetPubkeyByAliasRequest,
    ) -> Result<proto::PubkeyResponse, Status> {
        let alias = alias(&request.alias).or_fail(BY_ALIAS)?;
        let owner = self.records.aliases.get(&alias).await.or_fail(BY_ALIAS)?;
        let pubkey_hex = owner.map(|owner| owner.pubkey_hex).unwrap_or_default();
        Ok(proto::PubkeyResponse { pubkey_hex })
    }

    pub(super) async fn is_alias_taken(
        &self,
        request: proto::IsAliasTakenRequest,
    ) -> Result<proto::IsAliasTakenResponse, Status> {
        let alias = alias(&request.alias).or_fail(TAKEN)?;
        let taken = self.records.aliases.get(&alias).await.or_fail(TAKEN)?.is_some();
        Ok(proto::IsAliasTakenResponse { taken })
    }
}

/// An alias in the one form it is kept in.
fn alias(text: &str) -> Result<String, Malformed> {
    let alias = text.to_ascii_lowercase();
    let is_allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if (1..=ALIAS_BYTES).contains(&alias.len()) && alias.chars().all(is_allowed) {
        return Ok(alias);
    }
    let reason =
        format!("expected 1 to {ALIAS_BYTES} letters, digits, dots, dashes or underscores");
    Err(Malformed::new("alias", reason))
}
